#include "cli/cluster_lookup.h"

#include <cstdlib>
#include <filesystem>

#include "cli/certificates.h"
#include "common/config.h"
#include "common/file.h"

namespace cairn {

namespace {
std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<ClusterAccess> FromConfig(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, LoadFile(PosixFiles(), path));
  return ParseClientConfig(path, text);
}

Result<ClusterAccess> FromDirectory(const std::string& directory) {
  const std::string config = directory + "/client.toml";
  if (!PosixFiles().Exists(config)) {
    return Fail(ErrorCode::kNotFound, "{} is not the directory of a dev cluster (no client.toml)",
                directory);
  }
  ASSIGN_OR_RETURN(ClusterAccess access, FromConfig(config));
  access.directory = directory;
  return access;
}

// gRPC goes over TLS, so by TCP only. `where` names the flag or file.
Status CheckTcp(const std::vector<Address>& metaservers, const std::string& where) {
  for (const Address& address : metaservers) {
    if (address.unix_path.empty()) continue;
    return Status::Error(ErrorCode::kInvalidArgument,
                         "{}: {} is a socket; metaservers are named by HOST[:PORT] of their gRPC",
                         where, address.ToString());
  }
  return OkStatus();
}

// The frames of the same hosts, at their usual port.
std::string MountSource(const std::vector<Address>& metaservers) {
  std::string source;
  for (Address address : metaservers) {
    address.port = kMetaserverFramesPort;
    source += (source.empty() ? "" : ",") + address.ToString();
  }
  return source;
}

Result<ClusterAccess> FromAddresses(const std::string& text, const ClusterOptions& options,
                                    const LookupEnvironment& environment) {
  ClusterAccess access;
  ASSIGN_OR_RETURN(access.metaservers, ParseAddresses(text, kMetaserverGrpcPort));
  RETURN_IF_ERROR(CheckTcp(access.metaservers, "--cluster"));
  access.mount_source = MountSource(access.metaservers);
  if (options.tls_directory.empty() && PosixFiles().Exists(environment.client_config)) {
    ASSIGN_OR_RETURN(const ClusterAccess configured, FromConfig(environment.client_config));
    access.tls = configured.tls;
  }
  return access;
}

Result<ClusterAccess> FindAny(const ClusterOptions& options, const LookupEnvironment& environment) {
  if (!options.directory.empty()) {
    ASSIGN_OR_RETURN(const std::string directory, DevDirectory(options.directory, environment));
    return FromDirectory(directory);
  }
  const std::string& named = options.cluster.empty() ? environment.cluster : options.cluster;
  if (!named.empty()) return FromAddresses(named, options, environment);
  if (PosixFiles().Exists(environment.client_config)) return FromConfig(environment.client_config);
  if (!environment.default_directory.empty() &&
      PosixFiles().Exists(environment.default_directory + "/client.toml")) {
    return FromDirectory(environment.default_directory);
  }
  return Fail(ErrorCode::kNotFound,
              "no cluster: give --dir or --cluster, set CAIRN_CLUSTER, write {}, or start one with "
              "'cairn dev up'",
              environment.client_config);
}
}  // namespace

LookupEnvironment LookupEnvironment::OfProcess() {
  LookupEnvironment environment;
  environment.cluster = FromEnvironment("CAIRN_CLUSTER");
  const std::string state = FromEnvironment("XDG_STATE_HOME");
  const std::string home = FromEnvironment("HOME");
  if (!state.empty()) {
    environment.default_directory = state + "/cairn/dev";
  } else if (!home.empty()) {
    environment.default_directory = home + "/.local/state/cairn/dev";
  }
  return environment;
}

Result<ClusterAccess> ParseClientConfig(const std::string& name, std::string_view text) {
  ConfigReader reader(name, text);
  const std::vector<std::string> metaservers = reader.Strings("metaservers");
  ClusterAccess access;
  access.mount_source = reader.String("mount_source", "");
  access.tls = {reader.String("tls.ca", ""), reader.String("tls.certificate", ""),
                reader.String("tls.key", "")};
  RETURN_IF_ERROR(reader.Finish());
  if (metaservers.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "{}: 'metaservers' names no metaserver", name);
  }
  for (const std::string& text_address : metaservers) {
    ASSIGN_OR_RETURN(Address address, ParseAddress(text_address, kMetaserverGrpcPort));
    access.metaservers.push_back(std::move(address));
  }
  RETURN_IF_ERROR(CheckTcp(access.metaservers, name));
  if (access.mount_source.empty()) access.mount_source = MountSource(access.metaservers);
  return access;
}

Result<ClusterAccess> FindCluster(const ClusterOptions& options,
                                  const LookupEnvironment& environment) {
  ASSIGN_OR_RETURN(ClusterAccess access, FindAny(options, environment));
  if (!options.tls_directory.empty()) {
    access.tls = CertificateFiles(options.tls_directory, "admin");
  }
  if (access.tls.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "no certificates: give --tls-dir, or [tls] ca, certificate and key in {}",
                environment.client_config);
  }
  return access;
}

std::string DirOption(const std::string& directory, const LookupEnvironment& environment) {
  const Result<ClusterAccess> found = FindAny(ClusterOptions(), environment);
  return found.has_value() && found->directory == directory ? "" : " --dir " + directory;
}

Result<std::string> DevDirectory(const std::string& directory,
                                 const LookupEnvironment& environment) {
  const std::string& chosen = directory.empty() ? environment.default_directory : directory;
  if (chosen.empty()) return Fail(ErrorCode::kInvalidArgument, "no directory: give --dir");
  std::error_code error;
  const auto absolute = std::filesystem::weakly_canonical(std::filesystem::absolute(chosen), error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "{}: {}", chosen, error.message());
  std::string path = absolute.string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace cairn

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cli/dev/clients.h"
#include "cli/dev/servers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct MountOptionsGiven {
  ClusterOptions cluster;
  std::vector<std::string> places;  // [SOURCE] MOUNTPOINT
  std::string options;
  bool foreground = false;
};

Status Execute(std::vector<std::string> arguments) {
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  ::execv(raw[0], raw.data());
  return Status::FromErrno(errno, "start " + arguments[0]);
}

// A source that is named needs no cluster, only certificates, which -o may give.
Result<ClusterAccess> AccessFor(const MountOptionsGiven& given) {
  auto access = FindCluster(given.cluster, LookupEnvironment::OfProcess());
  if (given.places.size() == 1) return access;
  if (!access.has_value()) access = ClusterAccess{};
  access->mount_source = given.places[0];
  return access;
}

Result<ExitCode> Mount(const MountOptionsGiven& given) {
  ASSIGN_OR_RETURN(const ClusterAccess access, AccessFor(given));
  ASSIGN_OR_RETURN(const std::string program, SiblingProgram("cairn-fuse"));
  const bool own_files = given.options.find("ca=") != std::string::npos;
  // Absolute, so that the process can be told by it from wherever one looks.
  const std::string mount_point = std::filesystem::absolute(given.places.back()).string();
  std::vector<std::string> arguments = MountArguments(
      access.mount_source, mount_point, own_files ? TlsFiles() : access.tls, given.options);
  arguments.insert(arguments.begin(), program);
  if (given.foreground) arguments.push_back("-f");
  return Fail(Execute(std::move(arguments)));
}
}  // namespace

void AddMountVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("mount", "Mounts a cluster as a local directory");
  auto given = std::make_shared<MountOptionsGiven>();
  AddClusterOptions(verb, given->cluster);
  verb.add_option("places", given->places,
                  "[SOURCE] MOUNTPOINT; SOURCE is HOST[:PORT],... or unix:/PATH, "
                  "the cluster's own unless given")
      ->required()
      ->expected(1, 2);
  verb.add_option("-o", given->options, "Mount options, comma-separated");
  verb.add_flag("-f,--foreground", given->foreground, "Stay in the foreground");
  verb.callback([&chosen, given] { chosen = [given](const Console&) { return Mount(*given); }; });
}

}  // namespace cairn

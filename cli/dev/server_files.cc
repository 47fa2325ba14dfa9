#include "cli/dev/server_files.h"

#include "cli/certificates.h"

namespace cairn {

namespace {
std::string TlsTable(const DevCluster& cluster, const std::string& name) {
  const TlsFiles files = CertificateFiles(cluster.TlsDirectory(), name);
  return fmt::format("\n[tls]\nca = {}\ncertificate = {}\nkey = {}\n", QuoteToml(files.ca),
                     QuoteToml(files.certificate), QuoteToml(files.key));
}

// Servers log to standard error, which is D/log/NAME.log.
constexpr char kLogTable[] = "\n[log]\nlevel = \"info\"\n";

std::string GrpcAddresses(const Shape& shape) {
  std::string list;
  for (const MetaserverPorts& ports : shape.meta_ports) {
    list += (list.empty() ? "" : ", ") + QuoteToml(fmt::format("127.0.0.1:{}", ports.grpc));
  }
  return "[" + list + "]";
}

std::string DisksLine(const std::vector<std::string>& directories) {
  if (directories.size() == 1) return "directory = " + QuoteToml(directories.front());
  std::string list;
  for (const std::string& directory : directories) {
    list += (list.empty() ? "" : ", ") + QuoteToml(directory);
  }
  return "directories = [" + list + "]";
}

std::string Listen(uint16_t port) {
  return QuoteToml(fmt::format("127.0.0.1:{}", port));
}

Status WriteCertificates(const DevCluster& cluster) {
  RETURN_IF_ERROR(
      EnsureAuthority(cluster.TlsDirectory(), "Cairn cluster " + cluster.shape().cluster_id));
  for (const DevMember& member : cluster.Servers()) {
    const char* role = member.role == DevRole::kMeta ? "metaserver-" : "chunkserver-";
    RETURN_IF_ERROR(EnsureCertificate(cluster.TlsDirectory(), member.name(), role + member.name()));
  }
  RETURN_IF_ERROR(EnsureCertificate(cluster.TlsDirectory(), "client", "client-dev"));
  return internal::StatusOf(EnsureCertificate(cluster.TlsDirectory(), "admin", "admin-dev"));
}
}  // namespace

std::string MetaserverConfig(const DevCluster& cluster, const DevMember& member) {
  const MetaserverPorts& ports =
      cluster.shape().meta_ports.at(static_cast<size_t>(member.number - 1));
  return fmt::format("directory = {}\nlisten = {}\ngrpc_listen = {}\nunix_socket = {}\n",
                     QuoteToml(cluster.DataDirectory(member)), Listen(ports.frames),
                     Listen(ports.grpc), QuoteToml(cluster.SocketFile(member))) +
         TlsTable(cluster, member.name()) + kLogTable;
}

std::string ChunkserverConfig(const DevCluster& cluster, const DevMember& member) {
  const uint16_t port = cluster.shape().chunk_ports.at(static_cast<size_t>(member.number - 1));
  // The host's own name often means another loopback address than the one it listens on.
  return fmt::format(
             "{}\nlisten = {}\nhost = \"127.0.0.1\"\nunix_socket = {}\n"
             "metaservers = {}\n",
             DisksLine(cluster.DiskDirectories(member)), Listen(port),
             QuoteToml(cluster.SocketFile(member)), GrpcAddresses(cluster.shape())) +
         TlsTable(cluster, member.name()) + kLogTable;
}

std::string ClientConfig(const DevCluster& cluster) {
  return fmt::format("metaservers = {}\nmount_source = {}\n", GrpcAddresses(cluster.shape()),
                     QuoteToml(cluster.MountSource())) +
         TlsTable(cluster, "admin");
}

Status WriteServerFiles(const DevCluster& cluster) {
  FileSystem& files = PosixFiles();
  for (const char* name : {"/log", "/run", "/tls"}) {
    RETURN_IF_ERROR(files.MakeDirectory(cluster.directory() + name));
  }
  RETURN_IF_ERROR(WriteCertificates(cluster));
  for (const DevMember& member : cluster.Servers()) {
    RETURN_IF_ERROR(files.MakeDirectory(cluster.DataDirectory(member)));
    RETURN_IF_ERROR(ReplaceFile(files, cluster.ConfigFile(member),
                                member.role == DevRole::kMeta
                                    ? MetaserverConfig(cluster, member)
                                    : ChunkserverConfig(cluster, member)));
  }
  return ReplaceFile(files, cluster.directory() + "/client.toml", ClientConfig(cluster));
}

}  // namespace cairn

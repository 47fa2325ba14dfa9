// One dev cluster: a directory D with everything it consists of.
//   D/cluster.toml   shape, ports, cluster id     D/client.toml   how verbs and mounts reach it
//   D/tls/           authority and certificates   D/meta1, D/chunk2   a server's config and data
//   D/log/NAME.log, D/run/NAME.pid, D/run/NAME.sock
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cluster_lookup.h"
#include "cli/dev/process.h"
#include "cli/dev/shape.h"
#include "common/file.h"
#include "common/status.h"

namespace cairn {

enum class DevRole { kMeta, kChunk, kClient };

// One process of the cluster. Clients are numbered in the order of their mounts.
struct DevMember {
  DevRole role = DevRole::kMeta;
  int number = 1;

  const char* kind() const;  // "meta", "chunk", "client"
  std::string name() const;  // "meta1", "chunk2", "client1"
  friend bool operator==(const DevMember&, const DevMember&) = default;
};

// Confined to one thread.
class DevCluster {
 public:
  // kNotFound: `directory` has no dev cluster.
  static Result<DevCluster> Open(const std::string& directory);
  // Makes a new one when the directory is absent or empty, else checks that the flags agree with
  // what is there. kNotEmpty: the directory holds something else. kInvalidArgument: flags, or a
  // path too long for a UNIX socket.
  static Result<DevCluster> OpenOrCreate(const std::string& directory, const ShapeFlags& flags);

  const std::string& directory() const { return directory_; }
  const Shape& shape() const { return shape_; }
  Status SaveShape(Shape shape);

  std::vector<DevMember> Servers() const;  // metaservers first
  std::vector<DevMember> Clients() const;
  // kind: meta, chunk or client. kNotFound names what there is.
  Result<DevMember> Find(const std::string& kind, int number) const;

  std::string DataDirectory(const DevMember& member) const;
  // Of a chunkserver's disks: its own directory if it has one, else directories in that.
  std::vector<std::string> DiskDirectories(const DevMember& member) const;
  std::string ConfigFile(const DevMember& member) const;  // servers only
  std::string LogFile(const DevMember& member) const;
  std::string PidFile(const DevMember& member) const;
  std::string SocketFile(const DevMember& member) const;
  std::string TlsDirectory() const { return directory_ + "/tls"; }
  // As cairn-fuse takes it and mountinfo shows it; the same for the cluster's whole life.
  std::string MountSource() const;
  // Names one of this cluster's metaservers by its socket, whoever wrote it in which words.
  bool IsMountSource(const std::string& source) const;
  const std::string& MountPoint(const DevMember& client) const;

  // What the pid file says; nothing when the process is down.
  Result<std::optional<ProcessIdentity>> Running(const DevMember& member) const;
  ProcessState State(const DevMember& member) const;

  Result<ClusterAccess> Access() const;

 private:
  DevCluster(std::string directory, Shape shape)
      : directory_(std::move(directory)), shape_(std::move(shape)) {}
  std::string directory_;
  Shape shape_;
};

// Held while verbs change the cluster. kBusy: another `cairn dev` is at work there.
Result<std::unique_ptr<DirectoryLock>> LockDevDirectory(const std::string& directory);

}  // namespace cairn

#include "cli/dev/dev_cluster.h"

#include <algorithm>
#include <filesystem>

#include "cli/mount_table.h"

namespace cairn {

namespace {
// sizeof(sockaddr_un::sun_path) less the closing NUL.
constexpr size_t kMaxSocketPath = 107;
constexpr char kShapeFile[] = "/cluster.toml";

Status CheckSocketPaths(const DevCluster& cluster) {
  for (const DevMember& member : cluster.Servers()) {
    const std::string path = cluster.SocketFile(member);
    if (path.size() > kMaxSocketPath) {
      return Status::Error(ErrorCode::kInvalidArgument,
                           "{} is too long for a UNIX socket: {} bytes, at most {}; choose a "
                           "shorter --dir",
                           path, path.size(), kMaxSocketPath);
    }
  }
  return OkStatus();
}

// Our own lock is all that a new directory may hold.
Status CheckEmpty(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, PosixFiles().List(directory));
  for (const std::string& name : names) {
    if (name != "lock" && !name.starts_with(std::string_view(kShapeFile).substr(1))) {
      return Status::Error(ErrorCode::kNotEmpty,
                           "{} is not a dev cluster and not empty: it holds '{}'", directory, name);
    }
  }
  return OkStatus();
}
}  // namespace

const char* DevMember::kind() const {
  switch (role) {
    case DevRole::kMeta:
      return "meta";
    case DevRole::kChunk:
      return "chunk";
    case DevRole::kClient:
      return "client";
  }
  return "";
}

std::string DevMember::name() const {
  return fmt::format("{}{}", kind(), number);
}

Result<DevCluster> DevCluster::Open(const std::string& directory) {
  const std::string file = directory + kShapeFile;
  if (!PosixFiles().Exists(file)) {
    return Fail(ErrorCode::kNotFound, "{} is not the directory of a dev cluster", directory);
  }
  ASSIGN_OR_RETURN(const std::string text, LoadFile(PosixFiles(), file));
  ASSIGN_OR_RETURN(Shape shape, ParseShape(file, text));
  return DevCluster(directory, std::move(shape));
}

Result<DevCluster> DevCluster::OpenOrCreate(const std::string& directory, const ShapeFlags& flags) {
  if (PosixFiles().Exists(directory + kShapeFile)) {
    ASSIGN_OR_RETURN(DevCluster cluster, Open(directory));
    RETURN_IF_ERROR(CheckSameShape(cluster.shape(), flags));
    return cluster;
  }
  RETURN_IF_ERROR(CheckEmpty(directory));
  ASSIGN_OR_RETURN(Shape shape, NewShape(flags));
  DevCluster cluster(directory, std::move(shape));
  RETURN_IF_ERROR(CheckSocketPaths(cluster));
  RETURN_IF_ERROR(cluster.SaveShape(cluster.shape()));
  return cluster;
}

Status DevCluster::SaveShape(Shape shape) {
  shape_ = std::move(shape);
  return ReplaceFile(PosixFiles(), directory_ + kShapeFile, FormatShape(shape_));
}

std::vector<DevMember> DevCluster::Servers() const {
  std::vector<DevMember> servers;
  for (int i = 1; i <= shape_.meta; ++i) servers.push_back({DevRole::kMeta, i});
  for (int i = 1; i <= shape_.chunk; ++i) servers.push_back({DevRole::kChunk, i});
  return servers;
}

std::vector<DevMember> DevCluster::Clients() const {
  std::vector<DevMember> clients;
  for (size_t i = 1; i <= shape_.mounts.size(); ++i) {
    clients.push_back({DevRole::kClient, static_cast<int>(i)});
  }
  return clients;
}

Result<DevMember> DevCluster::Find(const std::string& kind, int number) const {
  const bool client = kind == "client";
  if (!client && kind != "meta" && kind != "chunk") {
    return Fail(ErrorCode::kInvalidArgument, "'{}' is not meta, chunk or client", kind);
  }
  const int count = client           ? static_cast<int>(shape_.mounts.size())
                    : kind == "meta" ? shape_.meta
                                     : shape_.chunk;
  if (number < 1 || number > count) {
    return Fail(ErrorCode::kNotFound, "no {} {}: this cluster has {}", kind, number, count);
  }
  return DevMember{client           ? DevRole::kClient
                   : kind == "meta" ? DevRole::kMeta
                                    : DevRole::kChunk,
                   number};
}

std::string DevCluster::DataDirectory(const DevMember& member) const {
  return directory_ + "/" + member.name();
}

std::vector<std::string> DevCluster::DiskDirectories(const DevMember& member) const {
  if (shape_.disks == 1) return {DataDirectory(member)};
  std::vector<std::string> directories;
  for (int i = 1; i <= shape_.disks; ++i) {
    directories.push_back(fmt::format("{}/disk{}", DataDirectory(member), i));
  }
  return directories;
}

std::string DevCluster::ConfigFile(const DevMember& member) const {
  return DataDirectory(member) +
         (member.role == DevRole::kMeta ? "/metaserver.toml" : "/chunkserver.toml");
}

std::string DevCluster::LogFile(const DevMember& member) const {
  return directory_ + "/log/" + member.name() + ".log";
}

std::string DevCluster::PidFile(const DevMember& member) const {
  return directory_ + "/run/" + member.name() + ".pid";
}

std::string DevCluster::SocketFile(const DevMember& member) const {
  return directory_ + "/run/" + member.name() + ".sock";
}

std::string DevCluster::MountSource() const {
  std::string source;
  for (int i = 1; i <= shape_.founders; ++i) {
    source += source.empty() ? "unix:" : ",unix:";
    source += EscapeMountWord(SocketFile({DevRole::kMeta, i}));
  }
  return source;
}

bool DevCluster::IsMountSource(const std::string& source) const {
  const std::vector<std::string> words = SplitMountWords(source);
  for (int i = 1; i <= shape_.meta; ++i) {
    const std::string ours = "unix:" + SocketFile({DevRole::kMeta, i});
    if (std::find(words.begin(), words.end(), ours) != words.end()) return true;
  }
  return false;
}

const std::string& DevCluster::MountPoint(const DevMember& client) const {
  return shape_.mounts.at(static_cast<size_t>(client.number - 1));
}

Result<std::optional<ProcessIdentity>> DevCluster::Running(const DevMember& member) const {
  ASSIGN_OR_RETURN(std::optional<ProcessIdentity> identity, LoadPidFile(PidFile(member)));
  if (identity && StateOf(*identity) == ProcessState::kDown) identity.reset();
  return identity;
}

ProcessState DevCluster::State(const DevMember& member) const {
  const auto running = Running(member);
  return running.has_value() && *running ? StateOf(**running) : ProcessState::kDown;
}

Result<ClusterAccess> DevCluster::Access() const {
  ClusterOptions options;
  options.directory = directory_;
  return FindCluster(options, LookupEnvironment{});
}

Result<std::unique_ptr<DirectoryLock>> LockDevDirectory(const std::string& directory) {
  auto lock = DirectoryLock::Acquire(directory);
  if (!lock.has_value() && lock.error().code() == ErrorCode::kBusy) {
    return Fail(ErrorCode::kBusy, "another 'cairn dev' is at work: {}", lock.error().message());
  }
  return lock;
}

}  // namespace cairn

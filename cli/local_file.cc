#include "cli/local_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "cli/admin_client.h"
#include "cli/dev/process.h"
#include "cli/mount_table.h"

namespace cairn {

namespace {
// A mount whose servers are away would hold us too.
Status CheckAnswers(const std::string& path) {
  const auto answer = RunApart(
      [&] {
        struct stat attributes {};
        return ::lstat(path.c_str(), &attributes) == 0 ? 0 : 1;
      },
      kAskTime);
  if (answer.has_value()) return OkStatus();
  const std::vector<MountEntry> mounts = ListMounts();
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  const MountEntry* mount = MountOf(mounts, absolute);
  // Through a symbolic link it may be any.
  const bool ours = mount != nullptr && mount->type == kCairnMountType;
  return Status::Error(ErrorCode::kUnavailable, "{}: {} does not answer", path,
                       ours ? "the mount at " + mount->mount_point : "it");
}

// A dev cluster's client names its sockets, D/run/meta1.sock first.
std::string DevDirectoryOfMount(const std::string& source) {
  constexpr std::string_view kScheme = "unix:";
  if (!source.starts_with(kScheme)) return "";
  const std::filesystem::path socket = SplitMountWords(source)[0].substr(kScheme.size());
  const std::string directory = socket.parent_path().parent_path().string();
  return std::filesystem::exists(directory + "/client.toml") ? directory : "";
}
}  // namespace

Result<LocalFile> FindLocalFile(const std::string& path) {
  RETURN_IF_ERROR(CheckAnswers(path));
  struct stat attributes {};
  if (::lstat(path.c_str(), &attributes) != 0) return Fail(Status::FromErrno(errno, path));
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "dir/"
  const auto parent = std::filesystem::canonical(absolute.parent_path(), error);
  if (error) return Fail(ErrorCode::kNotFound, "{}: {}", path, error.message());
  const std::vector<MountEntry> mounts = ListMounts();
  const MountEntry* mount = MountOf(mounts, (parent / absolute.filename()).string());
  if (mount == nullptr || mount->type != kCairnMountType) {
    return Fail(ErrorCode::kInvalidArgument, "{} is not on a Cairn mount", path);
  }
  return LocalFile{attributes.st_ino, attributes.st_mode, mount->source};
}

Status CheckDirectory(const std::string& path, const LocalFile& file) {
  if (S_ISDIR(file.mode)) return OkStatus();
  return Status::Error(ErrorCode::kNotDirectory, "{} is {}, not a directory", path,
                       S_ISLNK(file.mode) ? "a symbolic link" : "a file");
}

void UseClusterOf(const LocalFile& file, ClusterOptions& options) {
  if (!options.directory.empty() || !options.cluster.empty()) return;
  options.directory = DevDirectoryOfMount(file.mount_source);
}

}  // namespace cairn

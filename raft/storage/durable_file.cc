#include "raft/storage/durable_file.h"

namespace cairn {

namespace {
Status WriteAside(FileSystem& files, const std::string& path, std::string_view contents) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kCreate));
  RETURN_IF_ERROR(file->Truncate(0));  // a crash may have left one
  RETURN_IF_ERROR(file->Write(0, std::as_bytes(std::span(contents.data(), contents.size()))));
  return SyncOrFail(*file);
}
}  // namespace

Status DiskFailed(const Status& cause) {
  return Status::Error(ErrorCode::kDiskFailed, "{}", cause.ToString());
}

Status SyncOrFail(File& file) {
  Status synced = file.Sync();
  return synced.ok() ? synced : DiskFailed(synced);
}

Status SyncDirectoryOrFail(FileSystem& files, const std::string& directory) {
  Status synced = files.SyncDirectory(directory);
  return synced.ok() ? synced : DiskFailed(synced);
}

std::string DirectoryOf(const std::string& path) {
  size_t slash = path.find_last_not_of('/');
  slash = path.rfind('/', slash);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status RenameDurably(FileSystem& files, const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(files.Rename(from, to));
  return SyncDirectoryOrFail(files, DirectoryOf(to));
}

Status RemoveDurably(FileSystem& files, const std::string& path) {
  RETURN_IF_ERROR(files.Remove(path));
  return SyncDirectoryOrFail(files, DirectoryOf(path));
}

Status ReplaceDurably(FileSystem& files, const std::string& path, std::string_view contents) {
  const std::string aside = path + ".tmp";
  Status status = WriteAside(files, aside, contents);
  if (status.ok()) return RenameDurably(files, aside, path);
  (void)files.Remove(aside).ok();
  return status;
}

}  // namespace cairn

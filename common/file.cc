#include "common/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "common/hash.h"

namespace cairn {

namespace {
std::string DirectoryOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Status WriteWhole(FileSystem& files, const std::string& path, std::string_view contents) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kCreateExclusive));
  RETURN_IF_ERROR(file->Write(0, AsBytes(contents)));
  return file->Sync();
}

std::string ReadHolder(int descriptor) {
  char text[32] = {};
  ssize_t got = pread(descriptor, text, sizeof(text) - 1, 0);
  return got > 0 ? std::string(text, static_cast<size_t>(got)) : "unknown";
}
}  // namespace

Result<std::string> LoadFile(FileSystem& files, const std::string& path) {
  constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  ASSIGN_OR_RETURN(uint64_t size_bytes, file->Size());
  if (size_bytes > kMaxBytes) {
    return Fail(ErrorCode::kTooLarge, "{}: {} bytes are too many to load", path, size_bytes);
  }
  std::string contents(size_bytes, '\0');
  auto out = std::as_writable_bytes(std::span(contents.data(), contents.size()));
  ASSIGN_OR_RETURN(size_t got, file->Read(0, out));
  contents.resize(got);
  return contents;
}

Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view contents) {
  // The name is random so that what a crash left behind, or another writer, is never in the way.
  std::string aside = path + "." + RandomHex(4) + ".tmp";
  Status written = WriteWhole(files, aside, contents);
  if (written.ok()) written = files.Rename(aside, path);
  if (!written.ok()) {
    (void)files.Remove(aside).ok();
    return written;
  }
  return files.SyncDirectory(DirectoryOf(path));
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::Acquire(const std::string& directory) {
  std::string path = directory + "/lock";
  int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return Fail(Status::FromErrno(errno, "open " + path));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail(Status::FromErrno(errno, "lock " + path));
    return Fail(ErrorCode::kBusy, "{} is in use by process {}", directory, ReadHolder(descriptor));
  }
  std::string pid = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Fail(Status::FromErrno(errno, "write " + path));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { close(descriptor_); }

}  // namespace cairn

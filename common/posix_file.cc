#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "common/file.h"

namespace cairn {

namespace {

Status Failure(std::string_view call, const std::string& path) {
  return Status::FromErrno(errno, fmt::format("{} {}", call, path));
}

// Every offset from outside is checked before it becomes an off_t.
Status CheckRange(uint64_t offset, uint64_t length, const std::string& path) {
  constexpr uint64_t kMost = std::numeric_limits<off_t>::max();
  if (offset <= kMost && length <= kMost - offset) return OkStatus();
  return Status::Error(ErrorCode::kFileTooBig, "{}: offset {} length {}", path, offset, length);
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  for (;;) {
    int descriptor = open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (descriptor >= 0) return Descriptor(descriptor);
    if (errno != EINTR) return Fail(Failure("open", path));
  }
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    RETURN_IF_ERROR(CheckRange(offset, out.size(), path_));
    size_t done = 0;
    while (done < out.size()) {
      ssize_t got = pread(fd(), out.data() + done, out.size() - done,
                          static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Fail(Failure("read", path_));
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    RETURN_IF_ERROR(CheckRange(offset, data.size(), path_));
    while (!data.empty()) {
      ssize_t put = pwrite(fd(), data.data(), data.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return Failure("write", path_);
      data = data.subspan(static_cast<size_t>(put));
      offset += static_cast<size_t>(put);
    }
    return OkStatus();
  }

  Status Sync() override {
    // Not repeated on EINTR: a second call could succeed without the pages the first one lost.
    return fdatasync(fd()) == 0 ? OkStatus() : Failure("fdatasync", path_);
  }

  Status Truncate(uint64_t size_bytes) override {
    RETURN_IF_ERROR(CheckRange(size_bytes, 0, path_));
    while (ftruncate(fd(), static_cast<off_t>(size_bytes)) != 0) {
      if (errno != EINTR) return Failure("truncate", path_);
    }
    return OkStatus();
  }

  Status PunchHole(uint64_t offset, uint64_t length) override {
    return Allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length, "punch hole");
  }

  Status Preallocate(uint64_t size_bytes) override {
    if (size_bytes == 0) return OkStatus();
    Status status = Allocate(0, 0, size_bytes, "preallocate");
    if (status.code() != ErrorCode::kNotSupported) return status;
    int error = posix_fallocate(fd(), 0, static_cast<off_t>(size_bytes));
    return error == 0 ? OkStatus() : Status::FromErrno(error, "preallocate " + path_);
  }

  Result<uint64_t> Size() override {
    struct stat attributes {};
    if (fstat(fd(), &attributes) != 0) return Fail(Failure("stat", path_));
    return static_cast<uint64_t>(attributes.st_size);
  }

  void DropCached(uint64_t offset, uint64_t length) override {
    if (!CheckRange(offset, length, path_).ok()) return;
    // A failure is a hint not taken.
    posix_fadvise(fd(), static_cast<off_t>(offset), static_cast<off_t>(length),
                  POSIX_FADV_DONTNEED);
  }

  void StartWriteOut(uint64_t offset, uint64_t length) override {
    if (!CheckRange(offset, length, path_).ok()) return;
    // What fails is found by the Sync() that follows.
    sync_file_range(fd(), static_cast<off_t>(offset), static_cast<off_t>(length),
                    SYNC_FILE_RANGE_WRITE);
  }

 private:
  int fd() const { return descriptor_.get(); }

  Status Allocate(int mode, uint64_t offset, uint64_t length, std::string_view call) {
    RETURN_IF_ERROR(CheckRange(offset, length, path_));
    if (length == 0) return OkStatus();
    while (fallocate(fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
      if (errno == EOPNOTSUPP) {
        return Status::Error(ErrorCode::kNotSupported, "{} {}: not supported", call, path_);
      }
      if (errno != EINTR) return Failure(call, path_);
    }
    return OkStatus();
  }

  Descriptor descriptor_;
  std::string path_;
};

int FlagsFor(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY;
    case OpenMode::kReadWrite: return O_RDWR;
    case OpenMode::kCreate: return O_RDWR | O_CREAT;
    case OpenMode::kCreateExclusive: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, FlagsFor(mode)));
    return std::make_unique<PosixFile>(std::move(descriptor), path);
  }

  Result<Descriptor> OpenToShare(const std::string& path) override {
    return OpenDescriptor(path, O_RDONLY | O_NOFOLLOW);
  }

  Status MakeDirectory(const std::string& path) override {
    for (size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      RETURN_IF_ERROR(MakeOne(path.substr(0, slash)));
    }
    return MakeOne(path);
  }

  Status Remove(const std::string& path) override {
    return ::remove(path.c_str()) == 0 ? OkStatus() : Failure("remove", path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? OkStatus() : Failure("rename", from);
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
    if (stream == nullptr) return Fail(Failure("list", directory));
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(stream.get());
      if (entry == nullptr) break;
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Fail(Failure("list", directory));
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) override {
    struct stat attributes {};
    return lstat(path.c_str(), &attributes) == 0;
  }

  Status SyncDirectory(const std::string& directory) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    return fsync(descriptor.get()) == 0 ? OkStatus() : Failure("sync", directory);
  }

  Status SyncAll(const std::string& path) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDONLY));
    return syncfs(descriptor.get()) == 0 ? OkStatus() : Failure("syncfs", path);
  }

  Result<DiskSpace> Space(const std::string& path) override {
    struct statvfs space {};
    if (statvfs(path.c_str(), &space) != 0) return Fail(Failure("statvfs", path));
    return DiskSpace{uint64_t{space.f_blocks} * space.f_frsize,
                     uint64_t{space.f_bavail} * space.f_frsize};
  }

 private:
  static Status MakeOne(const std::string& path) {
    if (path.empty() || mkdir(path.c_str(), 0755) == 0) return OkStatus();
    if (errno != EEXIST) return Failure("mkdir", path);
    struct stat attributes {};
    if (stat(path.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode)) return OkStatus();
    return Status::Error(ErrorCode::kNotDirectory, "mkdir {}: not a directory", path);
  }
};

}  // namespace

FileSystem& PosixFiles() {
  static PosixFileSystem files;
  return files;
}

}  // namespace cairn

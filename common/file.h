// The file layer: everything the servers keep on disk goes through it, so that a test can stand a
// failing disk in its place (FaultyFileSystem). Paths are absolute or relative to the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/status.h"

namespace cairn {

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;  // to an unprivileged writer
};

// One open regular file. Thread-safe as pread and pwrite are. Closes on destruction.
class File {
 public:
  virtual ~File() = default;

  // Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<size_t> Read(uint64_t offset, std::span<std::byte> out) = 0;
  // Writes all bytes. On return they are in the page cache: they survive this process, not a power
  // cut. kNoSpace: the disk is full; some of the bytes may have been written.
  virtual Status Write(uint64_t offset, std::span<const std::byte> data) = 0;
  // Data and size are on disk on return (fdatasync). After a failure the file's pages are in an
  // unknown state and the disk must not be trusted again.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size_bytes) = 0;
  // Makes [offset, offset + length) read as zeros and gives its room back; the size stays.
  virtual Status PunchHole(uint64_t offset, uint64_t length) = 0;
  // Reserves room up to `size_bytes` and extends the size to it, so that later appends change no
  // metadata. The new bytes read as zeros.
  virtual Status Preallocate(uint64_t size_bytes) = 0;
  virtual Result<uint64_t> Size() = 0;
  // What of the range is clean leaves the page cache, so that the next read shows what the disk
  // holds. A hint: where it is not followed, nothing is wrong.
  virtual void DropCached(uint64_t /*offset*/, uint64_t /*length*/) {}
  // Begins to write the range out, so that a later Sync() finds little left to do. A hint too.
  virtual void StartWriteOut(uint64_t /*offset*/, uint64_t /*length*/) {}
};

enum class OpenMode {
  kRead,             // must exist
  kReadWrite,        // must exist
  kCreate,           // created when absent
  kCreateExclusive,  // kExists when present
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // A read-only descriptor for somebody who reads past this layer, another process for one.
  // kNotSupported: these files are not the system's, or what the layer has to do with their reads
  // would be lost.
  virtual Result<Descriptor> OpenToShare(const std::string& path) {
    return Fail(ErrorCode::kNotSupported, "{} is not shared", path);
  }
  virtual Status MakeDirectory(const std::string& path) = 0;  // parents too; present is ok
  virtual Status Remove(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;  // sorted names
  virtual bool Exists(const std::string& path) = 0;
  // Entries created, renamed or removed in `directory` are on disk on return.
  virtual Status SyncDirectory(const std::string& directory) = 0;
  // Everything written to the file system that holds `path` is on disk on return (syncfs).
  virtual Status SyncAll(const std::string& path) = 0;
  virtual Result<DiskSpace> Space(const std::string& path) = 0;
};

// The operating system's files. The returned object lives as long as the process.
FileSystem& PosixFiles();

Result<std::string> LoadFile(FileSystem& files, const std::string& path);
// Replaces `path` so that a crash leaves the old or the new contents, both whole: written aside,
// synced, renamed, directory synced. Durable on return.
Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view contents);

// Holds an exclusive lock on `directory`/lock until destroyed, so that two processes never share a
// data directory. kBusy names the holder's pid.
class DirectoryLock {
 public:
  static Result<std::unique_ptr<DirectoryLock>> Acquire(const std::string& directory);
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace cairn

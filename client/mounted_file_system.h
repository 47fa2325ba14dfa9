// The file system as a library: what a mount, or a program, does with a cluster. No FUSE types, no
// kernel. Everything blocks until done or until the mount's timeout; servers that are gone are
// waited for and met again by themselves.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/payload.h"
#include "rpc/tls.h"

namespace cairn {

// Who makes a call; groups are fetched only where they can matter.
struct Identity {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
};

struct MountOptions {
  std::vector<Address> metaservers;
  std::shared_ptr<const TlsContext> tls;
  std::string cluster_id;   // empty: take the cluster's word
  std::string client_id;    // of this mount, for its whole life; random when empty
  std::string mount_point;  // for operators only
  Duration timeout = timing::kMountTimeout;
  bool sync_close = false;  // close waits for the servers
  bool read_only = false;
  bool allow_unix = true;
  bool local_reads = true;  // of servers that are reached by their UNIX socket
  uint64_t write_behind_file_bytes = 64u << 20;
  uint64_t write_behind_bytes = 256u << 20;
  uint32_t read_ahead_bytes = 32u << 20;
  // So often the tokens of all open files are renewed. They live for an hour, and can be renewed
  // for two more.
  Duration token_renewal = std::chrono::minutes(20);
};

struct Entry {
  struct stat attributes {};
  bool keep_cache = false;  // Open, Create: the kernel's pages of this inode are still right
};

struct SetAttributes {
  std::optional<uint32_t> mode, uid, gid;
  std::optional<uint64_t> size;
  std::optional<WallTime> access_time, modify_time;
  bool access_time_now = false, modify_time_now = false;
  bool by_open_handle = false;  // size: an open handle vouches for the right to write
};

struct DirectoryItem {
  std::string name;
  uint64_t cookie = 0;  // go on after this entry by passing it to ReadDirectory
  struct stat attributes {};  // complete when asked for; else st_ino and the type in st_mode
};

struct FileSystemSpace {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t inodes = 0;
};

// One open file. Released by MountedFileSystem::Release.
class OpenFile;
using OpenFilePtr = std::shared_ptr<OpenFile>;

// Thread-safe.
class MountedFileSystem {
 public:
  // Opens the session; kUnavailable or kDeadlineExceeded names who did not answer.
  static Result<std::unique_ptr<MountedFileSystem>> Mount(MountOptions options);
  // Flushes what is buffered, waiting at most the timeout, and closes the session.
  virtual ~MountedFileSystem() = default;

  virtual Result<Entry> Lookup(const Identity& who, InodeId parent, std::string_view name) = 0;
  virtual Result<Entry> GetAttributes(InodeId inode) = 0;
  virtual Result<Entry> SetAttributesOf(const Identity& who, InodeId inode,
                                        const SetAttributes& change) = 0;
  virtual Status CheckAccess(const Identity& who, InodeId inode, uint32_t mask) = 0;

  virtual Result<Entry> MakeNode(const Identity& who, InodeId parent, std::string_view name,
                                 uint32_t mode, uint64_t device) = 0;
  virtual Result<Entry> MakeDirectory(const Identity& who, InodeId parent, std::string_view name,
                                      uint32_t mode) = 0;
  virtual Result<Entry> MakeSymlink(const Identity& who, InodeId parent, std::string_view name,
                                    std::string_view target) = 0;
  virtual Result<Entry> Link(const Identity& who, InodeId inode, InodeId new_parent,
                             std::string_view new_name) = 0;
  virtual Status Unlink(const Identity& who, InodeId parent, std::string_view name) = 0;
  virtual Status RemoveDirectory(const Identity& who, InodeId parent, std::string_view name) = 0;
  virtual Status Rename(const Identity& who, InodeId parent, std::string_view name,
                        InodeId new_parent, std::string_view new_name, uint32_t flags) = 0;
  virtual Result<std::string> ReadSymlink(InodeId inode) = 0;

  // Of a directory that `who` was allowed to read when it was opened (CheckAccess).
  // Entries after `cookie` (0: from the start, without "." and ".."), about `limit` of them; an
  // empty answer is the end.
  virtual Result<std::vector<DirectoryItem>> ReadDirectory(const Identity& who, InodeId inode,
                                                           uint64_t cookie, uint32_t limit,
                                                           bool attributes) = 0;

  struct Opened {
    Entry entry;
    OpenFilePtr file;
  };
  // flags: O_ACCMODE, O_TRUNC, O_EXCL as open(2) has them.
  virtual Result<Opened> Create(const Identity& who, InodeId parent, std::string_view name,
                                uint32_t mode, int flags) = 0;
  virtual Result<Opened> Open(const Identity& who, InodeId inode, int flags) = 0;

  // Up to `length` bytes, fewer at the end of the file; slices to be read in order, not copied.
  virtual Result<std::vector<Payload>> Read(const OpenFilePtr& file, uint64_t offset,
                                            size_t length) = 0;
  // Buffered on return. `flags` are those of this one write, for fcntl(2) changes a descriptor's
  // and a page of mmap(2) has none: with O_SYNC or O_DSYNC it is on disk of every copy, with
  // O_APPEND `offset` is ignored. The set-id bits go unless `uid` is root's.
  virtual Status Write(uint32_t uid, const OpenFilePtr& file, uint64_t offset,
                       std::span<const std::byte> data, int flags) = 0;
  // close(2): starts the flush; an error of an earlier flush is told here to one who may write,
  // once.
  virtual Status Flush(const OpenFilePtr& file) = 0;
  // Data on disk on every active copy, size and directory entry committed.
  virtual Status Fsync(const OpenFilePtr& file) = 0;
  virtual Status FsyncDirectory(InodeId inode) = 0;
  virtual void Release(OpenFilePtr file) = 0;

  virtual Result<FileSystemSpace> Space() = 0;
  // Flushes every open file's buffers; for unmount.
  virtual Status FlushAll(Deadline deadline) = 0;
};

}  // namespace cairn

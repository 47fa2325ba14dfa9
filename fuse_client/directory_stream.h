// One open directory: remembers the batch it is in the middle of, so that entries whose names share
// a hash, and with it a cookie, are neither lost nor told twice.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "client/mounted_file_system.h"

namespace cairn::fuse {

// Confined to one thread at a time: the kernel reads an open directory under its position lock.
class DirectoryStream {
 public:
  explicit DirectoryStream(InodeId inode) : inode_(inode) {}

  // Offsets: 0 is the start, 1 follows ".", 2 follows "..", else the cookie of the entry before.
  static constexpr uint64_t kAfterDot = 1;
  static constexpr uint64_t kAfterDotDot = 2;

  // Answers false when it has no room for the entry, which is then offered again next time.
  using Take = std::function<bool(const DirectoryItem&)>;

  // Offers the entries after `offset`, at least one unless the directory ends there.
  Status ReadFrom(MountedFileSystem& files, const Identity& who, uint64_t offset, bool attributes,
                  const Take& take);

 private:
  Status Refill(MountedFileSystem& files, const Identity& who, uint64_t offset, bool attributes);

  const InodeId inode_;
  std::vector<DirectoryItem> batch_;
  size_t next_ = 0;        // in batch_
  uint64_t position_ = 0;  // offset that batch_[next_] follows
  bool with_attributes_ = false;
};

}  // namespace cairn::fuse

// One open(2): which file, how, and what this handle alone remembers.
#pragma once

#include <utility>

#include "client/inode_state.h"
#include "client/mounted_file_system.h"

namespace cairn {

// Thread-safe.
class OpenFile {
 public:
  OpenFile(client::InodeStatePtr inode_state, int open_flags, uint64_t errors_so_far)
      : state(std::move(inode_state)), flags(open_flags), told_errors_(errors_so_far) {}

  const client::InodeStatePtr state;
  const int flags;

  // The failure of an earlier flush, once per handle that was open when it happened.
  Status TakeError();
  struct ReadAheadPlan {
    uint64_t bytes = 0;  // ahead of the read
    // [forget_begin, forget_end): what was read ahead for this handle and lies behind it now.
    uint64_t forget_begin = 0;
    uint64_t forget_end = 0;
  };
  // How far to read ahead of a read of [offset, offset + length): 0 for one that is not part of a
  // sequence, else doubling from 256 KiB to `most`.
  ReadAheadPlan PlanReadAhead(uint64_t offset, uint64_t length, uint64_t most);
  // No read follows.
  ReadAheadPlan EndReadAhead();

 private:
  absl::Mutex mu_;  // a leaf
  uint64_t next_offset_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t ahead_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t kept_begin_ ABSL_GUARDED_BY(mu_) = 0;  // whole windows that were read ahead
  uint64_t kept_end_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t told_errors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

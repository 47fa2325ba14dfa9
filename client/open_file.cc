#include "client/open_file.h"

#include <algorithm>

namespace cairn {

namespace {
constexpr uint64_t kFirstAhead = 256u << 10;
// The kernel sends neighbouring reads side by side, in any order.
constexpr uint64_t kReadsOutOfOrder = 4;
}  // namespace

Status OpenFile::TakeError() {
  absl::MutexLock state_lock(&state->mu);
  absl::MutexLock lock(&mu_);
  if (told_errors_ == state->errors) return OkStatus();
  told_errors_ = state->errors;
  return state->error;
}

uint64_t OpenFile::PlanReadAhead(uint64_t offset, uint64_t length, uint64_t most) {
  absl::MutexLock lock(&mu_);
  uint64_t near = kReadsOutOfOrder * length;
  bool sequential = offset <= next_offset_ + near && offset + near >= next_offset_;
  if (!sequential) {
    next_offset_ = offset + length;
    ahead_ = 0;
    return 0;
  }
  next_offset_ = std::max(next_offset_, offset + length);
  ahead_ = std::min(most, ahead_ == 0 ? kFirstAhead : ahead_ * 2);
  return ahead_;
}

}  // namespace cairn

#include "client/open_file.h"

#include <algorithm>

namespace cairn {

namespace {
constexpr uint64_t kFirstAhead = 256u << 10;
// The kernel sends neighbouring reads side by side, in any order.
constexpr uint64_t kReadsOutOfOrder = 4;
// What lies this far behind a sequence of reads has been taken by the kernel.
constexpr uint64_t kKeepBehind = 2 * client::kWindowBytes;

uint64_t WindowStart(uint64_t offset) {
  return offset / client::kWindowBytes * client::kWindowBytes;
}
}  // namespace

Status OpenFile::TakeError() {
  absl::MutexLock state_lock(&state->mu);
  absl::MutexLock lock(&mu_);
  if (told_errors_ == state->errors) return OkStatus();
  told_errors_ = state->errors;
  state->error_untold = false;
  return state->error;
}

OpenFile::ReadAheadPlan OpenFile::EndReadAhead() {
  absl::MutexLock lock(&mu_);
  return {0, kept_begin_, kept_end_};
}

OpenFile::ReadAheadPlan OpenFile::PlanReadAhead(uint64_t offset, uint64_t length, uint64_t most) {
  absl::MutexLock lock(&mu_);
  uint64_t near = kReadsOutOfOrder * length;
  bool sequential = offset <= next_offset_ + near && offset + near >= next_offset_;
  if (!sequential) {
    ReadAheadPlan plan{0, kept_begin_, kept_end_};
    next_offset_ = offset + length;
    ahead_ = 0;
    kept_begin_ = kept_end_ = WindowStart(offset);
    return plan;
  }
  next_offset_ = std::max(next_offset_, offset + length);
  ahead_ = std::min(most, ahead_ == 0 ? kFirstAhead : ahead_ * 2);
  kept_end_ = std::max(kept_end_, next_offset_ + ahead_);
  uint64_t passed = WindowStart(offset - std::min(offset, kKeepBehind));
  ReadAheadPlan plan{ahead_, kept_begin_, std::max(passed, kept_begin_)};
  kept_begin_ = plan.forget_end;
  return plan;
}

}  // namespace cairn

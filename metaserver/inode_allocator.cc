#include "metaserver/inode_allocator.h"

#include <optional>
#include <utility>

namespace cairn {

void InodeAllocator::Take(Taker taker) {
  std::optional<InodeId> id;
  bool reserve = false;
  {
    absl::MutexLock lock(&mu_);
    if (current_.next == current_.end) std::swap(current_, following_);
    if (current_.next < current_.end) {
      id = InodeId(current_.next++);
    } else {
      waiting_.push_back(std::move(taker));
    }
    // The next range is asked for while this one still lasts.
    const bool low = current_.end - current_.next < kInodeRange / 4;
    if (low && following_.next == following_.end && !reserving_) reserve = reserving_ = true;
  }
  if (reserve) reserve_();
  if (id) taker(*id);
}

void InodeAllocator::Add(InodeId first, uint64_t count) {
  std::vector<Taker> waiting;
  {
    absl::MutexLock lock(&mu_);
    following_ = {first.value, first.value + count};
    reserving_ = false;
    waiting.swap(waiting_);
  }
  for (Taker& taker : waiting) Take(std::move(taker));
}

void InodeAllocator::Refuse(const Status& status) {
  std::vector<Taker> waiting;
  {
    absl::MutexLock lock(&mu_);
    reserving_ = false;
    waiting.swap(waiting_);
  }
  for (Taker& taker : waiting) taker(Fail(status));
}

}  // namespace cairn

// Hands out inode ids from ranges reserved by committed commands. A range belongs to one life of
// the metaserver: after a restart a new one is reserved, so no id is ever handed out twice (M1).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

inline constexpr uint64_t kInodeRange = 65536;

// Thread-safe. Callbacks run without its lock.
class InodeAllocator {
 public:
  using Taker = std::function<void(Result<InodeId>)>;
  // `reserve` asks for another range; the answer comes by Add() or Refuse(), maybe before it
  // returns. It is called again only after that answer.
  explicit InodeAllocator(std::function<void()> reserve) : reserve_(std::move(reserve)) {}

  // `taker` gets an id at once, or when the range that is on its way arrives.
  void Take(Taker taker);
  // REQUIRES: the range was reserved by a committed command and given to nobody else.
  void Add(InodeId first, uint64_t count);
  // No range came: whoever waits is told why.
  void Refuse(const Status& status);

 private:
  struct Range {
    uint64_t next = 0;
    uint64_t end = 0;
  };
  std::function<void()> reserve_;
  absl::Mutex mu_;
  Range current_ ABSL_GUARDED_BY(mu_);
  Range following_ ABSL_GUARDED_BY(mu_);
  bool reserving_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Taker> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

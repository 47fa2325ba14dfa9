// Whether a disk of the cluster was said to be nearly full a moment ago: then a write returns only
// when chunkservers have it, so that it is told itself when there is no room (DESIGN 6.8).
#pragma once

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace cairn::client {

// Thread-safe. To ask costs a load while there is room.
class NearFull {
 public:
  // So long it counts if nobody says it again: writes to other disks say nothing of it.
  static constexpr Duration kCounts = std::chrono::seconds(10);

  explicit NearFull(const Clock& clock) : clock_(clock) {}

  // A group's primary said it of one of its disks.
  void HeardOfDisk() { until_ = (clock_.Now() + kCounts).since_boot.count(); }
  // The metaserver knows all disks.
  void HeardOfCluster(bool near_full) {
    if (near_full) return HeardOfDisk();
    until_ = 0;
  }
  bool Now() const {
    const int64_t until = until_.load(std::memory_order_relaxed);
    return until != 0 && clock_.Now().since_boot.count() < until;
  }

 private:
  const Clock& clock_;
  std::atomic<int64_t> until_{0};
};

}  // namespace cairn::client

// Makes sure that nothing started under an older epoch of a group is still changing chunks when
// copies are compared under a newer one (rule C6): a frame of the old primary that was checked in
// time and then stalled would otherwise land after the comparison.
#pragma once

#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Thread-safe.
class EpochBarrier {
 public:
  // Held around [check of the epoch, change of the chunk].
  class Pass {
   public:
    Pass(EpochBarrier& barrier, PgId group, Epoch epoch);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    EpochBarrier& barrier_;
    const PgId group_;
    const Epoch epoch_;
  };

  // How long what is admitted under an epoch may take.
  static constexpr Duration kPatience = std::chrono::seconds(1);
  // Waits until no pass of an epoch before `epoch` is held. REQUIRES: the table already knows
  // `epoch`, so that later passes of older ones fail their check. False: the deadline passed.
  bool WaitForOlder(PgId group, Epoch epoch, Deadline deadline);

 private:
  absl::Mutex mu_;
  absl::flat_hash_map<PgId, std::map<Epoch, int>> held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

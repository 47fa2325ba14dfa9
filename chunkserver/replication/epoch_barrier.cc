#include "chunkserver/replication/epoch_barrier.h"

#include "chunkserver/replication/seeded_bug.h"
#include "common/await.h"

namespace cairn {

EpochBarrier::Pass::Pass(EpochBarrier& barrier, PgId group, Epoch epoch)
    : barrier_(barrier), group_(group), epoch_(epoch) {
  absl::MutexLock lock(&barrier_.mu_);
  ++barrier_.held_[group_][epoch_];
}

EpochBarrier::Pass::~Pass() {
  absl::MutexLock lock(&barrier_.mu_);
  auto& epochs = barrier_.held_[group_];
  if (--epochs[epoch_] == 0) epochs.erase(epoch_);
  if (epochs.empty()) barrier_.held_.erase(group_);
}

bool EpochBarrier::WaitForOlder(PgId group, Epoch epoch, Deadline deadline) {
  if (ReplicationBugIs(ReplicationBug::kBarrierIgnored)) return true;
  absl::MutexLock lock(&mu_);
  auto clear = [&] {
    mu_.AssertReaderHeld();
    const auto found = held_.find(group);
    return found == held_.end() || found->second.begin()->first >= epoch;
  };
  return AwaitUntil(mu_, absl::Condition(&clear), deadline);
}

}  // namespace cairn

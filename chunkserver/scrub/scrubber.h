// Reads all that is stored here again and again, within the time the settings name or, when an
// operator ordered it, as fast as the throttle allows. A bad block is mended from another member at
// once; what members hold of one version is compared by digest (rule C6).
#pragma once

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/common.pb.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/replica_context.h"
#include "chunkserver/replication/workers.h"
#include "chunkserver/scrub/scrub_walk.h"

namespace cairn {

// Thread-safe. Any member mends its own copy: a bad block on one that is not the primary would
// otherwise be found when the others are gone.
class Scrubber {
 public:
  static constexpr std::chrono::seconds kDefaultPeriod{14 * 24 * 3600};

  Scrubber(ReplicaContext& context, BlockRepair& repair);
  ~Scrubber();  // Stop()s

  void Start();
  void Stop();
  v1::ScrubProgress Progress() const;

 private:
  struct BadBlock {
    PgId group;
    ChunkId chunk;
    uint32_t block = 0;
  };
  void Run();
  Duration Step();  // returns how long to rest before the next
  Status LoadMark();
  Status KeepMark();
  bool TakeOrder();
  Status BeginPass(uint64_t order, bool ordered);
  Status EndPass();
  Duration UntilDue() const;
  std::chrono::seconds Period() const;
  Status Take(const ScrubStep& step);
  Status CheckPiece(const ScrubStep& step);
  void NoteGood(ChunkId chunk, uint32_t first, uint32_t end);
  void Mend(const BadBlock& bad);
  void MendAgain();
  void CompareMembers(PgId group);
  void Look();

  ReplicaContext& context_;
  BlockRepair& repair_;
  // All of these are confined to the worker.
  ScrubWalk walk_;
  ScrubMark mark_;
  bool loaded_ = false;
  std::deque<BadBlock> again_;  // could not be mended yet, a member does not answer
  BootTime rest_until_;
  BootTime mend_again_at_;
  BootTime kept_at_;
  BootTime looked_at_;
  Status last_;

  mutable absl::Mutex mu_;
  v1::ScrubProgress progress_ ABSL_GUARDED_BY(mu_);
  Workers worker_{"chunk-scrub", 1};
};

}  // namespace cairn

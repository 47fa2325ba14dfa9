// What the paths of replication share. All of it outlives them.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/chunk_gate.h"
#include "chunkserver/replication/cluster_reports.h"
#include "chunkserver/replication/copy_board.h"
#include "chunkserver/replication/copy_pace.h"
#include "chunkserver/replication/damage_list.h"
#include "chunkserver/replication/epoch_barrier.h"
#include "chunkserver/replication/fence_list.h"
#include "chunkserver/replication/group_table.h"
#include "chunkserver/replication/member_faults.h"
#include "chunkserver/replication/peers.h"
#include "chunkserver/replication/primary_groups.h"
#include "chunkserver/replication/workers.h"
#include "chunkserver/store/chunk_store.h"

namespace cairn {

// Room on the own disk for writes that are yet to be admitted: without the store's reserve for
// those that are ordered already, and without what may be admitted before this is asked for again,
// here and at the primaries of other groups (rule C7). 0: full. Thread-safe.
class OwnSpace {
 public:
  static constexpr Duration kAskEvery = std::chrono::milliseconds(100);
  static constexpr uint64_t kAdmittedUnseen = 64u << 20;
  explicit OwnSpace(ChunkStore& store) : store_(store) {}
  uint64_t available_bytes();
  bool near_full();

 private:
  struct Room {
    uint64_t available_bytes = UINT64_MAX;
    bool near_full = false;
  };
  Room Ask();
  ChunkStore& store_;
  SystemClock clock_;
  absl::Mutex mu_;
  BootTime asked_ ABSL_GUARDED_BY(mu_);
  Room room_ ABSL_GUARDED_BY(mu_);
};

struct ReplicaContext {
  ReplicaContext(ChunkStore& the_store, GroupTable& the_table, Peers& the_peers,
                 ClusterReports& the_reports, ChunkChanges& changes = NoChunkChanges());
  ~ReplicaContext();
  // Those that use what is in the paths must have ended before the paths do.
  void StopWorkers();

  // Looks at what the store answered: a disk that failed is not trusted again, this server stops
  // serving and lets the cluster remove it (DESIGN 6.8).
  void HeardStore(const Status& status);
  // What a write is answered with. Writers are told before a disk of the group is full, so that the
  // write that meets it waits for its own answer (DESIGN 6.8).
  v1::WriteChunkResponse WriteAnswer(PgId group);

  ChunkStore& store;
  GroupTable& table;
  Peers& peers;
  ClusterReports& reports;
  ChunkGates gates;
  PrimaryGroups primaries;
  EpochBarrier barrier;
  FenceList fences;
  DamageList damage;
  OwnSpace space;
  CopyBoard copies;
  SystemClock clock;
  CopyPace pace{clock};
  std::atomic<bool> disk_failed{false};
  // Work that only waits for the disk; what others copy here, apart from what clients wait for;
  // work that waits for peers in the path of an operation; what has to end before a group serves;
  // long work over whole groups. Apart, so that none of them keeps another from ending.
  Workers disk{"chunk-disk", 4};
  Workers installs{"chunk-install", 2};
  Workers urgent{"chunk-urgent", 4};
  Workers takeovers{"chunk-takeover", 4};
  Workers background{"chunk-copy", 4};
  MemberFaults faults;
};

}  // namespace cairn

// Replication on one chunkserver, put together: everything behind the Chunk service.
#pragma once

#include <memory>

#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/fsck_path.h"
#include "chunkserver/replication/group_jobs.h"
#include "chunkserver/replication/member_path.h"
#include "chunkserver/replication/read_path.h"
#include "chunkserver/replication/removal_path.h"
#include "chunkserver/replication/replica_context.h"
#include "chunkserver/replication/surplus_chunks.h"
#include "chunkserver/replication/sync_path.h"
#include "chunkserver/replication/write_path.h"

namespace cairn {

// Thread-safe. Everything given to it outlives it.
class Replica {
 public:
  Replica(ChunkStore& store, GroupTable& table, Peers& peers, ClusterReports& reports,
          ChunkChanges& changes = NoChunkChanges());
  ~Replica();  // Stop()s

  // Begins to follow the group table and to do periodic work.
  void Start();
  // No work is under way on return; calls that still waited are dropped. REQUIRES: no call comes in
  // any more.
  void Stop();

  WritePath& writes() { return writes_; }
  ReadPath& reads() { return reads_; }
  SyncPath& syncs() { return syncs_; }
  MemberPath& member() { return member_; }
  RemovalPath& removals() { return removals_; }
  FsckPath& fsck() { return fsck_; }
  // For what else keeps the chunks whole, beside the paths.
  ReplicaContext& context() { return context_; }
  BlockRepair& repair() { return repair_; }
  const DamageList& damage() const { return context_.damage; }
  std::vector<std::pair<CopyBoard::Key, CopyCount>> copies() const {
    return context_.copies.List();
  }
  bool clients_are_here() const { return context_.pace.ClientsAreHere(); }  // copies leave room
  bool disk_failed() const { return context_.disk_failed; }

 private:
  void GroupsChanged(const std::vector<PgId>& groups);
  void SealIdle();
  void ExpireWaiters();

  ReplicaContext context_;
  BlockRepair repair_{context_};
  WritePath writes_{context_, repair_};
  ReadPath reads_{context_, repair_};
  SyncPath syncs_{context_};
  MemberPath member_{context_, repair_};
  RemovalPath removals_{context_};
  FsckPath fsck_{context_};
  GroupJobs jobs_{context_, repair_, writes_};
  SurplusChunks surplus_{context_};
};

}  // namespace cairn

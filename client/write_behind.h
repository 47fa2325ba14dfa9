// Takes writes into memory and brings them to the servers: data first, then the size that shows it
// (rule L10), everything within kFlushDelay.
#pragma once

#include "client/chunk_client.h"
#include "client/executor.h"
#include "client/inode_table.h"
#include "client/write_budget.h"

namespace cairn::client {

// How a write is taken in.
struct WriteKind {
  bool append = false;        // at the end of the file, wherever that is
  bool clear_set_id = false;  // the commit that tells of it takes the set-id bits away
};

struct WriteBehindOptions {
  uint64_t file_bytes = 64u << 20;
  uint64_t total_bytes = 256u << 20;
  Duration timeout = timing::kMountTimeout;
};

// Thread-safe. Never calls with a lock held.
class WriteBehind {
 public:
  WriteBehind(WriteBehindOptions options, ChunkClient* chunks, MetadataClient* metadata,
              InodeTable* table, Executor* executor);

  // Buffers `data`; waits for room. kFileTooBig: beyond the last possible chunk; kDeadlineExceeded:
  // no room came within the timeout.
  Status Write(const InodeStatePtr& state, uint64_t offset, WriteKind kind,
               std::span<const std::byte> data);

  // Sends everything written so far on its way, without waiting. Returns the newest write.
  uint64_t StartFlush(const InodeStatePtr& state);
  // Waits until writes up to `write` are acknowledged by chunkservers (AwaitSettled) and told to
  // the metaserver (AwaitCommitted), or are lost: the failure is in the state's error. Both end
  // when nothing of the file has moved for the timeout. AwaitCommitted also ends when a commit
  // failed that is tried again later: with that failure.
  Status AwaitSettled(const InodeStatePtr& state, uint64_t write);
  Status AwaitCommitted(const InodeStatePtr& state, uint64_t write);
  // StartFlush + AwaitCommitted.
  Status Flush(const InodeStatePtr& state);
  // Every file's, at most until the deadline.
  Status FlushAll(Deadline deadline);
  // All acknowledged chunks on disk. Fails when for the timeout none got there. Bytes that may have
  // been lost with the power of all their copies are in the state's error.
  Status Sync(const InodeStatePtr& state);

  // A change of size: flushes, then keeps new writes waiting until EndSizeChange.
  Status BeginSizeChange(const InodeStatePtr& state);
  void EndSizeChange(const InodeStatePtr& state);
  // A change that commits must not pass: none is on its way on return, none starts until
  // ReleaseCommits.
  Status HoldCommits(const InodeStatePtr& state);
  void ReleaseCommits(const InodeStatePtr& state);

  const WriteBudget& budget() const { return budget_; }

 private:
  // write_behind.cc: into memory.
  Status InsertPiece(const InodeStatePtr& state, uint64_t& offset, WriteKind kind,
                     std::span<const std::byte> data);
  Status AwaitRoom(InodeState& state, uint64_t charge, Deadline deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  Status AcquireBudget(uint64_t charge, Deadline deadline);
  // flush.cc: out to the chunkservers.
  void Pump(const InodeStatePtr& state);
  void Send(const InodeStatePtr& state, const Segment& frame);
  void Acknowledged(const InodeStatePtr& state, const Segment& frame, const Status& status,
                    ChunkClient::Taken taken);
  void AnnounceFirst(const InodeStatePtr& state, const Segment& frame);
  void ArmTimer(const InodeStatePtr& state);
  void Tick(const InodeStatePtr& state);
  template <typename Predicate>
  Status AwaitProgress(InodeState& state, const Predicate& predicate) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  // extend.cc: frames past the size.
  void Announce(const InodeStatePtr& state);
  void Extend(const InodeStatePtr& state, const v1::ChunkRun& chunks);
  // commit.cc: the size that shows it.
  void MaybeCommit(const InodeStatePtr& state);
  void Commit(const InodeStatePtr& state, const v1::CommitWriteRequest& request);
  static v1::CommitWriteRequest TakeCommit(InodeState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  static bool Answered(InodeState& state, const Result<v1::EntryResponse>& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  static void PutBack(InodeState& state, const Status& cause)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);

  const WriteBehindOptions options_;
  ChunkClient* const chunks_;
  MetadataClient* const metadata_;
  InodeTable* const table_;
  Executor* const executor_;
  WriteBudget budget_;
};

}  // namespace cairn::client

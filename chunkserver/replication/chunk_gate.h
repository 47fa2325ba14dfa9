// Orders what happens to one chunk on this server. No thread ever blocks on it, except a worker
// that wants the chunk for itself (Hold).
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/pending_write.h"
#include "chunkserver/store/chunk_changes.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

struct WriteKey {
  SessionId session;
  uint64_t sequence = 0;
  friend bool operator==(const WriteKey&, const WriteKey&) = default;
};

// Thread-safe. Continuations run without a lock held, on the thread that made way for them.
class ChunkGate {
 public:
  // `changes` hears of every write that is in flight, from before it is until it has ended.
  explicit ChunkGate(ChunkChanges& changes = NoChunkChanges()) : changes_(changes) {}

  // Runs `turn` when no other turn runs and nobody holds the chunk: at once on this thread, or
  // later on the thread that ends what is in the way. Turns run in the order they came.
  void Order(std::function<void()> turn);
  // A turn that brings writes in flight to their end: who wants to hold the chunk waits for those,
  // so it goes ahead of him and of the other turns.
  void OrderResend(std::function<void()> turn);

  // Keeps new turns out and waits until no turn runs and no write is in flight. False: the deadline
  // passed, the chunk is not held. Turns that waited meanwhile run before the next one may hold.
  // Blocks: for worker threads, never from inside a turn.
  bool Hold(Deadline deadline);
  void Release();

  // From inside a turn: `write` is in flight from now on, behind those that already are.
  void AddWrite(PendingWritePtr write);
  // It is on all members, or nobody may wait for it here any more.
  void EndWrite(const PendingWrite& write, bool done);
  std::vector<PendingWritePtr> Writes() const;  // in flight, in order

  // Runs `next` once no write in flight touches `range`; with kDeadlineExceeded at the first
  // ExpireWaiters() after the deadline. True: it had to wait, so someone must call that.
  bool WhenClear(BlockRange range, Deadline deadline, std::function<void(Status)> next);
  bool IsClear(BlockRange range) const;
  void ExpireWaiters();

  // Retries (rule C8): the write in flight with this key, and whether one with this key was among
  // the last of its session that were finished on all members. Of some sessions, the last to write.
  PendingWritePtr FindWrite(const WriteKey& key) const;
  bool WasFinished(const WriteKey& key) const;
  void RememberFinished(const WriteKey& key);
  // The chunk has become what another member has.
  void ForgetFinished();

  // The version of the chunk here, kept from the last look; confined to turns and holders.
  std::optional<ChunkVersion> known_version;
  bool asked_store = false;  // for its last request
  // What the last trim that was carried out here knew of the file; confined to turns and holders.
  // The primary may have ordered writes before it that have not come yet.
  std::optional<FileState> trim;
  bool KnowsTrim(uint64_t generation) const {
    return trim.has_value() && trim->generation >= generation;
  }
  // Whoever knew the file in this generation does not know of that trim.
  bool WasTrimmedSince(uint64_t generation) const { return KnowsTrim(generation + 1); }

 private:
  struct Waiter {
    BlockRange range;
    Deadline deadline;
    std::function<void(Status)> next;
  };
  // Begins to run turns if any may run: the caller then calls RunTurns() without the lock.
  bool MayRun() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunTurns();
  std::function<void()> NextTurn();  // empty: none may run
  void RememberFinishedLocked(const WriteKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Touched(BlockRange range) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  ChunkChanges& changes_;
  mutable absl::Mutex mu_;
  bool running_ ABSL_GUARDED_BY(mu_) = false;  // a turn
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  bool wanted_ ABSL_GUARDED_BY(mu_) = false;   // someone waits to hold
  std::deque<std::function<void()>> turns_ ABSL_GUARDED_BY(mu_);
  std::deque<std::function<void()>> resends_ ABSL_GUARDED_BY(mu_);
  size_t overdue_ ABSL_GUARDED_BY(mu_) = 0;  // of turns_: run although someone wants to hold
  std::vector<PendingWritePtr> writes_ ABSL_GUARDED_BY(mu_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mu_);
  // By session, the last to write in front: no other mount's writes make a retry unknown.
  struct Finished {
    SessionId session;
    std::deque<uint64_t> sequences;
  };
  std::list<Finished> finished_ ABSL_GUARDED_BY(mu_);
};
using ChunkGatePtr = std::shared_ptr<ChunkGate>;

// The gates of all chunks in use. Idle ones beyond a limit are forgotten. Thread-safe.
class ChunkGates {
 public:
  explicit ChunkGates(ChunkChanges& changes = NoChunkChanges()) : changes_(changes) {}

  ChunkGatePtr Get(ChunkId id);

 private:
  static constexpr size_t kShards = 16;
  static constexpr size_t kIdlePerShard = 1024;
  struct Shard {
    absl::Mutex mu;
    absl::flat_hash_map<ChunkId, ChunkGatePtr> gates ABSL_GUARDED_BY(mu);
  };
  ChunkChanges& changes_;
  Shard shards_[kShards];
};

// What is done under a gate is short: whoever waits longer than this for one gives up.
inline constexpr Duration kHoldWait = std::chrono::seconds(2);

// Holds a gate for a scope.
class HeldChunk {
 public:
  HeldChunk(ChunkGatePtr gate, Deadline deadline)
      : gate_(std::move(gate)), held_(gate_->Hold(deadline)) {}
  ~HeldChunk() {
    if (held_) gate_->Release();
  }
  HeldChunk(const HeldChunk&) = delete;
  HeldChunk& operator=(const HeldChunk&) = delete;
  bool ok() const { return held_; }
  ChunkGate& gate() { return *gate_; }

 private:
  ChunkGatePtr gate_;
  const bool held_;
};

}  // namespace cairn

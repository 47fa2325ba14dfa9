#include "chunkserver/replication/chunk_gate.h"

#include <algorithm>
#include <utility>

#include "common/await.h"

namespace cairn {
namespace {
constexpr size_t kRememberedWrites = 16;  // per session
constexpr size_t kRememberedSessions = 32;
}  // namespace

void ChunkGate::Order(std::function<void()> turn) {
  {
    absl::MutexLock lock(&mu_);
    turns_.push_back(std::move(turn));
    if (!MayRun()) return;
  }
  RunTurns();
}

void ChunkGate::OrderResend(std::function<void()> turn) {
  {
    absl::MutexLock lock(&mu_);
    resends_.push_back(std::move(turn));
    if (!MayRun()) return;
  }
  RunTurns();
}

bool ChunkGate::MayRun() {
  if (running_ || held_) return false;
  running_ = !resends_.empty() || (!turns_.empty() && (!wanted_ || overdue_ > 0));
  return running_;
}

std::function<void()> ChunkGate::NextTurn() {
  absl::MutexLock lock(&mu_);
  running_ = false;
  if (!MayRun()) return nullptr;
  const bool resend = !resends_.empty();
  auto& queue = resend ? resends_ : turns_;
  std::function<void()> turn = std::move(queue.front());
  queue.pop_front();
  if (!resend && overdue_ > 0) --overdue_;
  return turn;
}

void ChunkGate::RunTurns() {
  while (const std::function<void()> turn = NextTurn()) turn();
}

bool ChunkGate::Hold(Deadline deadline) {
  {
    absl::MutexLock lock(&mu_);
    auto unclaimed = [&] {
      mu_.AssertReaderHeld();
      return !held_ && !wanted_;
    };
    if (!AwaitUntil(mu_, absl::Condition(&unclaimed), deadline)) return false;
    wanted_ = true;
    auto quiet = [&] {
      mu_.AssertReaderHeld();
      return !running_ && writes_.empty();
    };
    held_ = AwaitUntil(mu_, absl::Condition(&quiet), deadline);
    wanted_ = false;
    if (held_) return true;
    overdue_ = turns_.size();
    if (!MayRun()) return false;
  }
  RunTurns();
  return false;
}

void ChunkGate::Release() {
  {
    absl::MutexLock lock(&mu_);
    held_ = false;
    overdue_ = turns_.size();
    if (!MayRun()) return;
  }
  RunTurns();
}

void ChunkGate::AddWrite(PendingWritePtr write) {
  changes_.Begin(write->id);
  absl::MutexLock lock(&mu_);
  writes_.push_back(std::move(write));
}

bool ChunkGate::Touched(BlockRange range) const {
  return std::any_of(writes_.begin(), writes_.end(), [&](const PendingWritePtr& write) {
    return write->range.Overlaps(range);
  });
}

void ChunkGate::EndWrite(const PendingWrite& write, bool done) {
  std::vector<Waiter> woken;
  {
    absl::MutexLock lock(&mu_);
    const size_t ended =
        std::erase_if(writes_, [&](const PendingWritePtr& w) { return w.get() == &write; });
    if (ended > 0) changes_.End(write.id);
    if (done) RememberFinishedLocked({write.session, write.sequence});
    const auto first = std::stable_partition(waiters_.begin(), waiters_.end(), [&](Waiter& waiter) {
      mu_.AssertReaderHeld();
      return Touched(waiter.range);
    });
    std::move(first, waiters_.end(), std::back_inserter(woken));
    waiters_.erase(first, waiters_.end());
  }
  for (Waiter& waiter : woken) waiter.next(OkStatus());
}

std::vector<PendingWritePtr> ChunkGate::Writes() const {
  absl::MutexLock lock(&mu_);
  return writes_;
}

bool ChunkGate::WhenClear(BlockRange range, Deadline deadline, std::function<void(Status)> next) {
  {
    absl::MutexLock lock(&mu_);
    if (Touched(range)) {
      waiters_.push_back({range, deadline, std::move(next)});
      return true;
    }
  }
  next(OkStatus());
  return false;
}

bool ChunkGate::IsClear(BlockRange range) const {
  absl::MutexLock lock(&mu_);
  return !Touched(range);
}

void ChunkGate::ExpireWaiters() {
  std::vector<Waiter> late;
  {
    absl::MutexLock lock(&mu_);
    const auto first =
        std::stable_partition(waiters_.begin(), waiters_.end(),
                              [](const Waiter& waiter) { return !waiter.deadline.Passed(); });
    std::move(first, waiters_.end(), std::back_inserter(late));
    waiters_.erase(first, waiters_.end());
  }
  for (Waiter& waiter : late) {
    waiter.next(Status::Error(ErrorCode::kDeadlineExceeded,
                              "a write to these blocks is not on every member yet"));
  }
}

PendingWritePtr ChunkGate::FindWrite(const WriteKey& key) const {
  absl::MutexLock lock(&mu_);
  for (const PendingWritePtr& write : writes_) {
    if (WriteKey{write->session, write->sequence} == key) return write;
  }
  return nullptr;
}

bool ChunkGate::WasFinished(const WriteKey& key) const {
  absl::MutexLock lock(&mu_);
  return std::any_of(finished_.begin(), finished_.end(), [&](const Finished& finished) {
    const auto& sequences = finished.sequences;
    return finished.session == key.session &&
           std::find(sequences.begin(), sequences.end(), key.sequence) != sequences.end();
  });
}

void ChunkGate::RememberFinished(const WriteKey& key) {
  absl::MutexLock lock(&mu_);
  RememberFinishedLocked(key);
}

void ChunkGate::RememberFinishedLocked(const WriteKey& key) {
  auto found = std::find_if(finished_.begin(), finished_.end(), [&](const Finished& finished) {
    return finished.session == key.session;
  });
  if (found == finished_.end()) found = finished_.insert(found, {key.session, {}});
  finished_.splice(finished_.begin(), finished_, found);
  std::deque<uint64_t>& sequences = finished_.front().sequences;
  sequences.push_back(key.sequence);
  if (sequences.size() > kRememberedWrites) sequences.pop_front();
  if (finished_.size() > kRememberedSessions) finished_.pop_back();
}

void ChunkGate::ForgetFinished() {
  absl::MutexLock lock(&mu_);
  finished_.clear();
}

ChunkGatePtr ChunkGates::Get(ChunkId id) {
  Shard& shard = shards_[absl::Hash<ChunkId>()(id) % kShards];
  absl::MutexLock lock(&shard.mu);
  ChunkGatePtr& gate = shard.gates[id];
  if (gate != nullptr) return gate;
  const ChunkGatePtr made = gate = std::make_shared<ChunkGate>(changes_);
  if (shard.gates.size() > kIdlePerShard) {
    // Nobody can take a gate that only this table knows while the shard is locked.
    absl::erase_if(shard.gates, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  return made;
}

}  // namespace cairn

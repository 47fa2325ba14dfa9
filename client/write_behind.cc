#include "client/write_behind.h"

#include <algorithm>
#include <limits>

#include "client/backoff.h"

namespace cairn::client {

namespace {
constexpr size_t kPieceBytes = 4u << 20;  // taken in at once, unbroken by other writes
constexpr uint64_t kMostChunks = uint64_t{1} << 32;

// At most, what inserting a piece can cost.
uint64_t ChargeOf(size_t bytes) {
  return bytes + kSegmentOverhead * (bytes / kWindowBytes + 2);
}
}  // namespace

WriteBehind::WriteBehind(WriteBehindOptions options, ChunkClient* chunks, MetadataClient* metadata,
                         InodeTable* table, Executor* executor)
    : options_(options), chunks_(chunks), metadata_(metadata), table_(table), executor_(executor),
      budget_(options.total_bytes) {}

Status WriteBehind::Write(const InodeStatePtr& state, uint64_t offset, WriteKind kind,
                          std::span<const std::byte> data) {
  if (metadata_->session().Current() != state->session) {
    return Status::Error(ErrorCode::kIoError, "the session that opened inode {} was lost",
                         state->id);
  }
  while (!data.empty()) {
    std::span<const std::byte> piece = data.first(std::min(data.size(), kPieceBytes));
    RETURN_IF_ERROR(InsertPiece(state, offset, kind, piece));
    offset += piece.size();
    kind.append = false;
    data = data.subspan(piece.size());
    Pump(state);
  }
  return OkStatus();
}

Status WriteBehind::AcquireBudget(uint64_t charge, Deadline deadline) {
  if (budget_.TryAcquire(charge)) return OkStatus();
  for (const InodeStatePtr& dirty : table_->Dirty()) StartFlush(dirty);
  if (budget_.Acquire(charge, deadline)) return OkStatus();
  return Status::Error(ErrorCode::kDeadlineExceeded, "no room to buffer {} bytes", charge);
}

Status WriteBehind::AwaitRoom(InodeState& state, uint64_t charge, Deadline deadline) {
  auto room = [&]() ABSL_SHARED_LOCKS_REQUIRED(state.mu) {
    return !state.size_changing &&
           (state.buffer.empty() || state.buffer.charge() + charge <= options_.file_bytes);
  };
  if (AwaitUntil(state.mu, room, deadline)) return OkStatus();
  return Status::Error(ErrorCode::kDeadlineExceeded, "no room to buffer writes of inode {}",
                       state.id);
}

Status WriteBehind::InsertPiece(const InodeStatePtr& state, uint64_t& offset, WriteKind kind,
                                std::span<const std::byte> data) {
  Deadline deadline = Deadline::After(options_.timeout);
  uint64_t charge = ChargeOf(data.size());
  bool full = false;
  {
    absl::MutexLock lock(&state->mu);
    full = state->buffer.charge() + charge > options_.file_bytes;
  }
  if (full) StartFlush(state);
  RETURN_IF_ERROR(AcquireBudget(charge, deadline));
  uint64_t unused = charge;
  Status status;
  {
    absl::MutexLock lock(&state->mu);
    status = AwaitRoom(*state, charge, deadline);
    if (kind.append) offset = state->Size();
    uint64_t limit = kMostChunks * state->file.layout().chunk_size();
    if (status.ok() && (offset > limit || data.size() > limit - offset)) {
      status = Status::Error(ErrorCode::kFileTooBig, "inode {} cannot reach byte {}", state->id,
                             offset);
    }
    if (status.ok()) {
      if (state->buffer.empty()) state->progress = SystemClock().Now();
      uint64_t before = state->buffer.charge();
      state->buffer.Insert(offset, data, ++state->last_write);
      // Merged segments cost less than what they replace: then more than the charge comes back.
      unused = charge + before - state->buffer.charge();
      state->cache.Forget(offset, offset + data.size());
      state->modify_time = SystemClock().WallNow();
      state->modify_pending = true;
      if (kind.clear_set_id) state->clear_set_id = true;
      bool pressed = state->buffer.charge() > options_.file_bytes / 2 || budget_.Tight();
      if (pressed) {
        state->flush_up_to = state->last_write;
        state->BeginRound();
      }
    }
  }
  budget_.Release(unused);
  if (status.ok()) ArmTimer(state);
  return status;
}

Status WriteBehind::Flush(const InodeStatePtr& state) {
  return AwaitCommitted(state, StartFlush(state));
}

Status WriteBehind::FlushAll(Deadline deadline) {
  struct Started {
    InodeStatePtr state;
    uint64_t errors;
    uint64_t failed_commits;
  };
  std::vector<Started> all;
  for (InodeStatePtr& state : table_->Dirty()) {
    {
      absl::MutexLock lock(&state->mu);
      all.push_back({state, state->errors, state->failed_commits});
    }
    StartFlush(state);
  }
  for (const Started& one : all) {
    const InodeState& file = *one.state;
    absl::MutexLock lock(&file.mu);
    auto ended = [&]() ABSL_SHARED_LOCKS_REQUIRED(file.mu) {
      return file.Clean() || file.failed_commits != one.failed_commits;
    };
    if (!AwaitUntil(file.mu, ended, deadline)) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "inode {} is not flushed", file.id);
    }
    if (file.errors != one.errors) return file.error;
    if (!file.commit_error.ok()) return file.commit_error;
  }
  return OkStatus();
}

Status WriteBehind::BeginSizeChange(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&state->mu);
    auto alone = [&]() ABSL_SHARED_LOCKS_REQUIRED(state->mu) { return !state->size_changing; };
    if (!AwaitUntil(state->mu, alone, Deadline::After(options_.timeout))) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "inode {} is being cut", state->id);
    }
    state->size_changing = true;
  }
  Status flushed = Flush(state);
  if (!flushed.ok()) EndSizeChange(state);
  return flushed;
}

void WriteBehind::EndSizeChange(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&state->mu);
    state->size_changing = false;
    state->cache.Clear();
  }
  table_->RetireIfIdle(state);
}

Status WriteBehind::HoldCommits(const InodeStatePtr& state) {
  absl::MutexLock lock(&state->mu);
  ++state->commit_holds;
  auto none = [&]() ABSL_SHARED_LOCKS_REQUIRED(state->mu) { return !state->commit_under_way; };
  if (AwaitUntil(state->mu, none, Deadline::After(options_.timeout))) return OkStatus();
  --state->commit_holds;
  return Status::Error(ErrorCode::kDeadlineExceeded, "a commit of inode {} is not answered",
                       state->id);
}

void WriteBehind::ReleaseCommits(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&state->mu);
    --state->commit_holds;
  }
  MaybeCommit(state);
  table_->RetireIfIdle(state);
}

}  // namespace cairn::client

// Write-behind, second half: frames to the chunkservers.
#include <algorithm>
#include <utility>

#include "client/backoff.h"
#include "client/write_behind.h"
#include "common/logging.h"

namespace cairn::client {

namespace {

constexpr size_t kFramesUnderWay = 8;        // of one file
constexpr size_t kSmallFramesUnderWay = 64;  // while they are less than one large one together
constexpr Duration kTick = timing::kFlushDelay / 2;  // the other half is for the servers
constexpr Duration kSlack = std::chrono::seconds(5);

uint32_t ChunkOf(const InodeState& state, const Segment& frame)
    ABSL_SHARED_LOCKS_REQUIRED(state.mu) {
  return static_cast<uint32_t>(frame.offset / state.file.layout().chunk_size());
}

bool MustAnnounce(const InodeState& state, const Segment& frame)
    ABSL_SHARED_LOCKS_REQUIRED(state.mu) {
  return state.MustAnnounce(ChunkOf(state, frame), frame.end());
}

bool MaySend(const WriteBuffer& buffer) {
  return buffer.under_way() < kFramesUnderWay ||
         (buffer.under_way() < kSmallFramesUnderWay && buffer.under_way_bytes() < kWindowBytes);
}

}  // namespace

uint64_t WriteBehind::StartFlush(const InodeStatePtr& state) {
  uint64_t newest = 0;
  {
    absl::MutexLock lock(&state->mu);
    newest = state->flush_up_to = state->last_write;
    state->BeginRound();
  }
  Pump(state);
  return newest;
}

void WriteBehind::Pump(const InodeStatePtr& state) {
  bool any_waits = false;
  for (;;) {
    std::optional<Segment> frame;
    {
      absl::MutexLock lock(&state->mu);
      if (MaySend(state->buffer)) frame = state->buffer.Take(state->flush_up_to);
      if (frame.has_value() && MustAnnounce(*state, *frame)) {
        state->extension.Wait(*std::move(frame));
        continue;
      }
      any_waits = state->extension.anyone_waits();
    }
    if (!frame.has_value()) break;
    Send(state, *frame);
  }
  if (any_waits) Announce(state);
  MaybeCommit(state);
}

void WriteBehind::Send(const InodeStatePtr& state, const Segment& frame) {
  Duration patience{};
  {
    absl::MutexLock lock(&state->mu);
    // Counted from when something last moved: a file's frames share one timeout when servers are
    // gone, and none runs out while they are only slow.
    patience = state->progress + options_.timeout - SystemClock().Now();
  }
  Deadline deadline = Deadline::After(std::max(patience, Duration::zero()));
  chunks_->Write(state, frame.offset, frame.payload(), deadline,
                 [this, state, frame](const Status& status, ChunkClient::Taken taken) {
                   Acknowledged(state, frame, status, taken);
                 });
}

// Runs on the poller's thread: takes notes and leaves the work to others.
void WriteBehind::Acknowledged(const InodeStatePtr& state, const Segment& frame,
                               const Status& status, ChunkClient::Taken taken) {
  if (taken.unannounced) return AnnounceFirst(state, frame);
  bool more = false;
  {
    absl::MutexLock lock(&state->mu);
    uint64_t before = state->buffer.charge();
    state->buffer.Finish(frame.offset);
    budget_.Release(before - state->buffer.charge());
    uint32_t index = ChunkOf(*state, frame);
    if (!IsTransient(status.code())) state->progress = SystemClock().Now();
    if (status.ok()) {
      Uncommitted written;
      written.end = frame.end();
      written.runs.Add(index);
      // Sent before a cut that we have learned of since: it lies before the cut.
      for (const v1::Cut& cut : state->file.cuts()) {
        if (cut.generation() > taken.generation) {
          written.CutAt(cut.length(), state->file.layout().chunk_size());
        }
      }
      written.first_write = frame.first_write;
      written.last_write = frame.last_write;
      state->uncommitted.Add(written);
      state->unsynced.Add(index, taken.epoch);
    } else {
      LOG_ERROR("buffered data lost inode={} offset={} bytes={} cause=\"{}\"", state->id,
                frame.offset, frame.length, status);
      state->Failed(status);
      if (frame.end() > state->attributes.size() && state->extension.Covers(index)) {
        state->extension.Spoil();  // it may have been stored all the same
      }
      // What was never stored takes no rights away, least of all with some later write.
      if (state->Clean()) state->clear_set_id = false;
    }
    more = !state->buffer.empty() || state->CommitIsDue() || state->Clean();
  }
  if (!more) return;
  executor_->Run([this, state] {
    Pump(state);
    table_->RetireIfIdle(state);
  });
}

// The file was cut while the frame was under way, and it lies past the size now.
void WriteBehind::AnnounceFirst(const InodeStatePtr& state, const Segment& frame) {
  {
    absl::MutexLock lock(&state->mu);
    state->extension.Wait(frame);
  }
  executor_->Run([this, state] { Pump(state); });
}

void WriteBehind::ArmTimer(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&state->mu);
    if (state->timer_armed) return;
    state->timer_armed = true;
  }
  executor_->RunAfter(kTick, [this, state] { Tick(state); });
}

void WriteBehind::Tick(const InodeStatePtr& state) {
  bool clean = false;
  {
    absl::MutexLock lock(&state->mu);
    state->timer_armed = false;
    clean = state->Clean();
    state->flush_up_to = state->last_write;
    state->BeginRound();
  }
  if (clean) return table_->RetireIfIdle(state);
  Pump(state);
  ArmTimer(state);
}

template <typename Predicate>
Status WriteBehind::AwaitProgress(InodeState& state, const Predicate& predicate) const {
  BootTime began = SystemClock().Now();
  for (;;) {
    if (AwaitUntil(state.mu, predicate, Deadline::After(options_.timeout + kSlack))) {
      return OkStatus();
    }
    if (state.progress <= began) break;
    began = state.progress;
  }
  return Status::Error(ErrorCode::kDeadlineExceeded, "inode {} is not flushed", state.id);
}

Status WriteBehind::AwaitSettled(const InodeStatePtr& state, uint64_t write) {
  absl::MutexLock lock(&state->mu);
  return AwaitProgress(*state, [&]() ABSL_SHARED_LOCKS_REQUIRED(state->mu) {
    return state->Settled(write);
  });
}

Status WriteBehind::AwaitCommitted(const InodeStatePtr& state, uint64_t write) {
  absl::MutexLock lock(&state->mu);
  uint64_t failed = state->failed_commits;
  RETURN_IF_ERROR(AwaitProgress(*state, [&]() ABSL_SHARED_LOCKS_REQUIRED(state->mu) {
    bool failed_since = state->failed_commits != failed && !state->commit_error.ok();
    return failed_since || state->Committed(write);
  }));
  return state->Committed(write) ? OkStatus() : state->commit_error;
}

// One at a time: who comes while another's is under way waits for it and repeats what it left.
Status WriteBehind::Sync(const InodeStatePtr& state) {
  UnsyncedChunks chunks;
  {
    absl::MutexLock lock(&state->mu);
    RETURN_IF_ERROR(AwaitProgress(*state, [&]() ABSL_SHARED_LOCKS_REQUIRED(state->mu) {
      return !state->sync_under_way;
    }));
    if (state->unsynced.empty()) return OkStatus();
    std::swap(chunks, state->unsynced);
    state->sync_under_way = true;
  }
  const ChunkClient::SyncOutcome outcome =
      chunks_->Sync(state, std::move(chunks), options_.timeout);
  absl::MutexLock lock(&state->mu);
  state->sync_under_way = false;
  state->unsynced.AddAll(outcome.left);
  if (!outcome.lost.ok()) {
    LOG_ERROR("acknowledged data may be lost inode={} cause=\"{}\"", state->id, outcome.lost);
    state->Failed(outcome.lost);
  }
  return outcome.status;
}

}  // namespace cairn::client

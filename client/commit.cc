// Write-behind, last step: telling the metaserver what the chunkservers have acknowledged.
#include <utility>

#include "client/backoff.h"
#include "client/write_behind.h"
#include "common/logging.h"

namespace cairn::client {

v1::CommitWriteRequest WriteBehind::TakeCommit(InodeState& state) {
  Uncommitted taken = std::exchange(state.postponed, {});
  Uncommitted newest = std::exchange(state.uncommitted, {});
  // Frames are acknowledged in any order. The size must not show a byte behind one that was written
  // earlier and is still on its way: what lies there is told by the end of the next round, when all
  // that was written before it has been acknowledged.
  uint64_t missing = state.buffer.LowestOlderThan(newest.last_write);
  if (missing < newest.end) {
    state.postponed.end = newest.end;
    state.postponed.first_write = newest.first_write;
    state.postponed.last_write = newest.last_write;
    newest.end = missing;
    state.flush_up_to = state.last_write;
  }
  state.round_end = state.flush_up_to;
  taken.Add(newest);
  if (std::exchange(state.modify_pending, false)) taken.modify_time = state.modify_time;
  taken.clear_set_id = std::exchange(state.clear_set_id, false);
  v1::CommitWriteRequest request;
  request.set_inode(state.id.value);
  request.set_end(taken.end);
  taken.runs.CopyTo(request.mutable_runs());
  if (taken.modify_time.has_value()) {
    request.mutable_modify_time()->set_seconds(taken.modify_time->seconds);
    request.mutable_modify_time()->set_nanoseconds(taken.modify_time->nanoseconds);
  }
  request.set_generation(state.file.generation());
  request.set_clear_set_id(taken.clear_set_id);
  request.set_token(state.tokens.write.token);
  // With the last handle closed nothing more comes: the announcement ends with what it was for.
  const bool all = state.buffer.empty() && !state.postponed.any() && state.handles == 0;
  request.set_last(all && state.extension.EndWithCommit());
  state.committing = std::move(taken);
  state.commit_under_way = true;
  return request;
}

void WriteBehind::MaybeCommit(const InodeStatePtr& state) {
  absl::MutexLock lock(&state->mu);
  if (!state->CommitIsDue()) return;
  // Decided here, so that one commit is on its way however many threads ask.
  auto request = std::make_shared<v1::CommitWriteRequest>(TakeCommit(*state));
  executor_->Run([this, state, request] { Commit(state, *request); });
}

// Nobody took the commit: its bytes are on chunkservers, and a later commit without them would make
// zeros of them.
void WriteBehind::PutBack(InodeState& state, const Status& cause) {
  state.postponed.Add(state.committing);
  state.modify_pending = state.modify_pending || state.committing.modify_time.has_value();
  state.clear_set_id = state.clear_set_id || state.committing.clear_set_id;
  if (state.commit_error.ok()) state.Failed(cause);  // told once, however often it is tried
  state.commit_error = cause;
  ++state.failed_commits;
}

// False: it is to be tried again.
bool WriteBehind::Answered(InodeState& state, const Result<v1::EntryResponse>& entry) {
  ErrorCode code = entry.has_value() ? ErrorCode::kOk : entry.error().code();
  bool again = IsTransient(code) || code == ErrorCode::kBusy;
  bool deleted = code == ErrorCode::kStaleHandle || code == ErrorCode::kNotFound;
  if (entry.has_value()) {
    state.LearnOwnChange(*entry);
    state.progress = SystemClock().Now();
  } else if (!deleted) {
    LOG_ERROR("written data not committed inode={} end={} again={} cause=\"{}\"", state.id,
              state.committing.end, again, entry.error());
  }
  state.extension.CommitAnswered(entry.has_value());
  if (again) {
    PutBack(state, entry.error());
  } else {
    if (!entry.has_value() && !deleted) {
      state.Failed(entry.error());
      state.extension.Spoil();
    }
    state.commit_error = OkStatus();
  }
  state.committing = {};
  state.commit_under_way = false;
  return !again;
}

void WriteBehind::Commit(const InodeStatePtr& state, const v1::CommitWriteRequest& request) {
  auto entry =
      metadata_->Change<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, request, state->session);
  bool done = false;
  {
    absl::MutexLock lock(&state->mu);
    done = Answered(*state, entry);
  }
  if (!done) return ArmTimer(state);  // the next tick tries again
  Pump(state);
  table_->RetireIfIdle(state);
}

}  // namespace cairn::client

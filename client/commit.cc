// Write-behind, last step: telling the metaserver what the chunkservers have acknowledged.
#include <algorithm>
#include <utility>

#include "client/write_behind.h"
#include "common/logging.h"

namespace cairn::client {

// A round has ended: everything that was to go out has gone out.
bool WriteBehind::CommitIsDue(InodeState& state) const {
  return state.uncommitted.any() && !state.commit_under_way && state.commit_holds == 0 &&
         state.uncommitted.first_write <= state.flush_up_to && state.Settled(state.flush_up_to);
}

v1::CommitWriteRequest WriteBehind::TakeCommit(InodeState& state) const {
  Uncommitted taken = std::exchange(state.uncommitted, {});
  // Frames are acknowledged in any order. The size must not show a byte behind one that was written
  // earlier and is still on its way.
  uint64_t missing = state.buffer.LowestOlderThan(taken.last_write);
  if (missing < taken.end) {
    state.uncommitted.end = taken.end;
    state.uncommitted.first_write = taken.first_write;
    state.uncommitted.last_write = taken.last_write;
    taken.end = missing;
    state.flush_up_to = state.last_write;
  }
  if (std::exchange(state.modify_pending, false)) taken.modify_time = state.modify_time;
  v1::CommitWriteRequest request;
  request.set_inode(state.id.value);
  request.set_end(taken.end);
  taken.runs.CopyTo(request.mutable_runs());
  if (taken.modify_time.has_value()) {
    request.mutable_modify_time()->set_seconds(taken.modify_time->seconds);
    request.mutable_modify_time()->set_nanoseconds(taken.modify_time->nanoseconds);
  }
  request.set_generation(state.file.generation());
  request.set_clear_set_id(std::exchange(state.clear_set_id, false));
  state.committing = std::move(taken);
  state.commit_under_way = true;
  return request;
}

void WriteBehind::MaybeCommit(const InodeStatePtr& state) {
  absl::MutexLock lock(&state->mu);
  if (!CommitIsDue(*state)) return;
  // Decided here, so that one commit is on its way however many threads ask.
  auto request = std::make_shared<v1::CommitWriteRequest>(TakeCommit(*state));
  executor_->Run([this, state, request] { Commit(state, *request); });
}

void WriteBehind::Commit(const InodeStatePtr& state, const v1::CommitWriteRequest& request) {
  auto entry = metadata_->Change<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, request,
                                                    state->session);
  {
    absl::MutexLock lock(&state->mu);
    ErrorCode code = entry.has_value() ? ErrorCode::kOk : entry.error().code();
    bool deleted = code == ErrorCode::kStaleHandle || code == ErrorCode::kNotFound;
    if (entry.has_value()) {
      state->LearnOwnChange(*entry);
      state->progress = SystemClock().Now();
    } else if (!deleted) {
      LOG_ERROR("written data not committed inode={} end={} cause=\"{}\"", state->id,
                request.end(), entry.error());
      state->Failed(entry.error());
    }
    state->committing = {};
    state->commit_under_way = false;
  }
  Pump(state);
  table_->RetireIfIdle(state);
}

}  // namespace cairn::client

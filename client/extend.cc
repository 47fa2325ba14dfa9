// Write-behind: frames past the committed size are announced before they go (rule L5).
#include <utility>

#include "client/write_behind.h"

namespace cairn::client {

void WriteBehind::Announce(const InodeStatePtr& state) {
  std::vector<Segment> ready;
  std::optional<v1::ChunkRun> chunks;
  {
    absl::MutexLock lock(&state->mu);
    const uint32_t chunk_size = state->file.layout().chunk_size();
    ready = state->extension.TakeReady(
        chunk_size, [&](const Segment& frame) { return frame.end() <= state->attributes.size(); });
    chunks = state->extension.Ask(chunk_size);
  }
  for (const Segment& frame : ready) Send(state, frame);
  if (!chunks.has_value()) return;
  executor_->Run([this, state, chunks] { Extend(state, *chunks); });
}

void WriteBehind::Extend(const InodeStatePtr& state, const v1::ChunkRun& chunks) {
  v1::ExtendRequest request;
  request.set_inode(state->id.value);
  *request.mutable_chunks() = chunks;
  {
    absl::MutexLock lock(&state->mu);
    request.set_token(state->tokens.write.token);
  }
  auto entry = metadata_->Change<v1::EntryResponse>(v1::METADATA_EXTEND, request, state->session);
  std::vector<Segment> refused;
  {
    absl::MutexLock lock(&state->mu);
    if (entry.has_value()) {
      state->Learn(*entry);
      state->progress = SystemClock().Now();
      state->extension.Announced();
    } else {
      refused = state->extension.Refused();
    }
  }
  for (const Segment& frame : refused) Acknowledged(state, frame, entry.error(), {});
  Pump(state);
}

}  // namespace cairn::client

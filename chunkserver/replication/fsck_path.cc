#include "chunkserver/replication/fsck_path.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace cairn {

void FsckPath::ListStored(const ListStoredCall& call) {
  context_.disk.Submit(call.deadline(), [this, call] {
    const v1::ListStoredRequest& request = call.request();
    const Status leased = context_.table.CheckLease();
    if (!leased.ok()) return call.Fail(leased);
    std::optional<ChunkId> after;
    if (request.after_inode() != 0) {
      after = ChunkId{InodeId(request.after_inode()), request.after_index()};
    }
    const Result<std::vector<StoredChunk>> chunks =
        context_.store.ListStored(after, request.limit());
    context_.HeardStore(internal::StatusOf(chunks));
    if (!chunks.has_value()) return call.Fail(chunks.error());
    v1::ListStoredResponse response;
    for (const StoredChunk& chunk : *chunks) {
      v1::StoredChunk& stored = *response.add_chunks();
      stored.set_inode(chunk.id.inode.value);
      stored.set_index(chunk.id.index);
      stored.set_group(chunk.group.value);
      stored.set_bytes(chunk.bytes);
    }
    response.set_end(chunks->size() < request.limit());
    call.Reply(response);
  });
}

void FsckPath::SetAside(const SetAsideCall& call) {
  context_.disk.Submit(call.deadline(), [this, call] {
    v1::SetAsideResponse response;
    for (const v1::StoredChunk& chunk : call.request().chunks()) {
      const Result<bool> done = SetOneAside({InodeId(chunk.inode()), chunk.index()},
                                            PgId(chunk.group()), call.deadline());
      context_.HeardStore(internal::StatusOf(done));
      if (!done.has_value()) return call.Fail(done.error());
      response.set_set_aside(response.set_aside() + (*done ? 1 : 0));
    }
    call.Reply(response);
  });
}

Result<bool> FsckPath::SetOneAside(ChunkId id, PgId group, Deadline deadline) {
  RETURN_IF_ERROR(context_.table.CheckLease());
  const Standing standing = context_.table.Current(group);
  // A group that is not known here has no comparison that could be mistaken.
  if (standing.group == nullptr) return SetHeldAside(id, group, deadline);
  const Epoch epoch = standing.group->epoch;
  const EpochBarrier::Pass pass(context_.barrier, group, epoch);
  RETURN_IF_ERROR(internal::StatusOf(context_.table.Stand(group, epoch)));
  if (standing.role == OwnRole::kPrimary && !context_.primaries.IsReady(group)) {
    // A takeover would fetch the chunk back from a member that still has it.
    return Fail(ErrorCode::kBusy, "group {} is still comparing its copies", group);
  }
  return SetHeldAside(id, group, deadline);
}

Result<bool> FsckPath::SetHeldAside(ChunkId id, PgId group, Deadline deadline) {
  const HeldChunk held(context_.gates.Get(id),
                       Deadline::After(std::min(kHoldWait, deadline.Left())));
  if (!held.ok()) return Fail(ErrorCode::kBusy, "chunk {} is in use", id);
  // Whoever asked counts on it: what it read of the file is old by now (rule C11).
  if (deadline.Passed()) return Fail(ErrorCode::kDeadlineExceeded, "chunk {} stays", id);
  ASSIGN_OR_RETURN(const bool done, context_.store.SetAside(id, group));
  if (!done) return false;
  ChunkGate& gate = *context_.gates.Get(id);
  gate.known_version.reset();
  gate.asked_store = false;
  gate.ForgetFinished();
  context_.damage.Remove(id);
  context_.primaries.Touch(group, id);
  return true;
}

}  // namespace cairn

#include "chunkserver/replication/removal_path.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "chunkserver/replication/wire.h"

namespace cairn {
namespace {

// Calls that are answered together. Thread-safe.
class Outstanding {
 public:
  explicit Outstanding(size_t calls) : left_(calls) {}
  // What all of them said, when this was the last one: the first failure, or ok.
  std::optional<Status> Ended(const Result<RawReply>& reply) {
    absl::MutexLock lock(&mu_);
    if (!reply.has_value() && status_.ok()) status_ = reply.error();
    if (--left_ > 0) return std::nullopt;
    return status_;
  }

 private:
  absl::Mutex mu_;
  size_t left_ ABSL_GUARDED_BY(mu_);
  Status status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

Status RemoveHere(ReplicaContext& context, ChunkGate& gate, ChunkId id, PgId group,
                  const FileState& file, bool whole) {
  RETURN_IF_ERROR(context.store.Remove(id, file, whole));
  if (!whole && !gate.KnowsTrim(file.generation)) gate.trim = file;
  gate.known_version.reset();
  gate.asked_store = false;
  context.damage.Remove(id);
  context.primaries.Touch(group, id);
  return OkStatus();
}

void RemovalPath::Remove(const RemoveCall& call) {
  context_.disk.Submit([this, call] {
    std::vector<ChunkId> ids;
    for (const v1::ChunkAddress& chunk : call.request().chunks()) {
      const Status removed = RemoveOne(chunk, call.request().whole());
      context_.HeardStore(removed);
      if (!removed.ok()) return call.Fail(removed);
      ids.push_back(IdOf(chunk));
    }
    // Once this is answered nobody remembers what was to go: it must not come back with the power.
    const Status synced = context_.store.Sync(ids);
    context_.HeardStore(synced);
    if (!synced.ok()) return call.Fail(synced);
    ForwardRemoval(call);
  });
}

Status RemovalPath::RemoveOne(const v1::ChunkAddress& chunk, bool whole) {
  const ChunkId id = IdOf(chunk);
  const PgId group(chunk.group());
  const EpochBarrier::Pass pass(context_.barrier, group, Epoch(chunk.epoch()));
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group, Epoch(chunk.epoch())));
  if (standing.role == OwnRole::kPrimary && !context_.primaries.IsReady(group)) {
    // A takeover would fetch the chunk back from a member that still has it (rule C9).
    return Status::Error(ErrorCode::kBusy, "group {} is still comparing its copies", group);
  }
  // A member may be applying a write to the chunk; the store excludes the two. What must not happen
  // is that a comparison takes the chunk's state from before for the one after.
  const HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kBusy, "chunk {} is being written", id);
  return RemoveHere(context_, *context_.gates.Get(id), id, group, FileOf(chunk), whole);
}

void RemovalPath::ForwardRemoval(const RemoveCall& call) {
  std::map<ServerId, v1::RemoveChunksRequest> forwards;
  for (const v1::ChunkAddress& chunk : call.request().chunks()) {
    const Standing standing = context_.table.Current(PgId(chunk.group()));
    if (standing.group == nullptr || standing.role != OwnRole::kPrimary) continue;
    for (const ServerId server : standing.group->Syncing()) {
      if (!context_.primaries.IsPledged(standing.group->id, server)) continue;
      *forwards[server].add_chunks() = chunk;
      forwards[server].set_whole(call.request().whole());
    }
  }
  if (forwards.empty()) return call.Reply({});
  const auto left = std::make_shared<Outstanding>(forwards.size());
  for (const auto& [server, forward] : forwards) {
    context_.peers.CallAsync(server, v1::CHUNK_REMOVE, forward, {},
                             Deadline::After(std::chrono::seconds(2)),
                             [call, left](const Result<RawReply>& reply) {
                               const std::optional<Status> all = left->Ended(reply);
                               if (!all.has_value()) return;
                               all->ok() ? call.Reply({}) : call.Fail(*all);
                             });
  }
}

}  // namespace cairn

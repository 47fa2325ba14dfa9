#include "chunkserver/replication/surplus_chunks.h"

#include "common/logging.h"

namespace cairn {
namespace {
constexpr size_t kAtOnce = 100;
constexpr Duration kBreak = std::chrono::milliseconds(20);  // between two lots: clients come first
constexpr Duration kRetry = std::chrono::seconds(1);
}  // namespace

bool SurplusChunks::IsOut(const Standing& standing) const {
  return standing.group != nullptr && standing.group->activated &&
         !standing.group->IsMember(context_.table.self());
}

void SurplusChunks::GroupChanged(const Standing& standing) {
  if (!IsOut(standing) || context_.store.Usage(standing.group->id).chunks == 0) return;
  {
    absl::MutexLock lock(&mu_);
    if (!under_way_.insert(standing.group->id).second) return;
  }
  LOG_INFO("this server keeps no copy of the group any more, its chunks go pg={} chunks={}",
           standing.group->id, context_.store.Usage(standing.group->id).chunks);
  Schedule(standing.group->id, Duration::zero());
}

void SurplusChunks::Schedule(PgId group, Duration delay) {
  context_.background.RunAfter(delay, [this, group] { DeleteSome(group); });
}

void SurplusChunks::DeleteSome(PgId group) {
  const Standing standing = context_.table.Current(group);
  const auto chunks = context_.store.List(group, std::nullopt, kAtOnce);
  Status status = internal::StatusOf(chunks);
  const bool over = !IsOut(standing) || (status.ok() && chunks->empty()) ||
                    status.code() == ErrorCode::kDiskFailed;
  if (over) {
    {
      absl::MutexLock lock(&mu_);
      under_way_.erase(group);
    }
    // What changed since was not looked at while this was under way.
    if (status.ok()) GroupChanged(context_.table.Current(group));
    return;
  }
  for (size_t i = 0; status.ok() && i < chunks->size(); ++i) {
    status = Delete(*standing.group, (*chunks)[i].id);
  }
  context_.HeardStore(status);
  Schedule(group, status.ok() ? kBreak : kRetry);
}

Status SurplusChunks::Delete(const Group& group, ChunkId id) {
  // A catch-up that begins under a newer epoch waits for this pass, and finds the chunk or not.
  const EpochBarrier::Pass pass(context_.barrier, group.id, group.epoch);
  RETURN_IF_ERROR(context_.table.Stand(group.id, group.epoch));
  const HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kBusy, "chunk {} is in use", id);
  ChunkGate& gate = *context_.gates.Get(id);
  gate.known_version.reset();
  gate.asked_store = false;
  gate.ForgetFinished();
  context_.damage.Remove(id);
  return context_.store.Drop(id);
}

}  // namespace cairn

#include "chunkserver/replication/write_admission.h"

namespace cairn {
namespace {

constexpr Duration kAskDeadline = std::chrono::seconds(2);

}  // namespace

Status WriteAdmission::Admit(const Standing& standing, const v1::ChunkAddress& chunk) {
  const Group& group = *standing.group;
  // Also under a lease that came after the one it was let in under: for the gap between them the
  // fence has passed (rule L1).
  RETURN_IF_ERROR(context_.fences.Check(SessionId(chunk.session())));
  if (standing.role != OwnRole::kPrimary) {
    return Status::Error(ErrorCode::kNotPrimary, "this server is not the primary of group {}",
                         group.id);
  }
  if (group.active_count() < standing.min_active) {
    return Status::Error(ErrorCode::kBelowMinActive,
                         "group {} has {} active copies, writes need {}", group.id,
                         group.active_count(), standing.min_active);
  }
  if (context_.space.available_bytes() == 0) {
    return Status::Error(ErrorCode::kNoSpace, "the disk of server {} is full",
                         context_.table.self());
  }
  for (const ServerId server : group.Active(context_.table.self())) {
    if (context_.faults.IsFull(server)) {
      if (context_.faults.ShouldAskSpace(server)) AskSpace(server);
      return Status::Error(ErrorCode::kNoSpace, "the disk of server {} is full", server);
    }
  }
  return OkStatus();
}

void WriteAdmission::AskSpace(ServerId server) {
  context_.urgent.Submit([this, server] {
    const auto answer = context_.peers.Call<v1::SyncChunksResponse>(
        server, v1::CHUNK_SYNC_REPLICA, v1::SyncChunksRequest(), Deadline::After(kAskDeadline));
    if (!answer.has_value()) return;
    context_.faults.HeardSpace(server, answer->available_bytes(), answer->near_full());
  });
}

}  // namespace cairn

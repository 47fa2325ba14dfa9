#include "chunkserver/local/local_grants.h"

#include "chunkserver/replication/wire.h"
#include "chunkserver/service/request_checks.h"
#include "rpc/chunk_token.h"

namespace cairn {
namespace {

v1::OpenChunkResponse AnswerOf(const ChunkBlocks& blocks) {
  v1::OpenChunkResponse answer;
  answer.set_chunk_size(blocks.info.chunk_size);
  answer.mutable_crcs()->Add(blocks.crcs.begin(), blocks.crcs.end());
  answer.set_present(PackBits(blocks.present));
  return answer;
}

}  // namespace

Status LocalGrants::CheckStanding(const v1::ChunkAddress& chunk) const {
  const PgId group(chunk.group());
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group, Epoch(chunk.epoch())));
  if (standing.role != OwnRole::kPrimary) {
    return Status::Error(ErrorCode::kNotPrimary, "this server is not the primary of group {}",
                         group);
  }
  // The row itself is asked too: PrimaryGroups hears of a new epoch a moment after the table.
  if (!standing.group->activated || !context_.primaries.IsReady(group)) {
    return Status::Error(ErrorCode::kBusy, "group {} is still comparing its copies", group);
  }
  return OkStatus();
}

Result<LocalGrants::Moment> LocalGrants::Look(const v1::ChunkAddress& chunk) const {
  const uint64_t group_change = page_.GroupChange(PgId(chunk.group()));
  const std::optional<uint64_t> chunk_change = page_.QuietChange(IdOf(chunk));
  if (!chunk_change) {
    return Fail(ErrorCode::kBusy, "chunk {} is being changed", IdOf(chunk));
  }
  return Moment{*chunk_change, group_change};
}

Result<LocalGrant> LocalGrants::Grant(const v1::ChunkAddress& chunk) {
  RETURN_IF_ERROR(CheckRequest(chunk));
  LocalGrant grant;
  ASSIGN_OR_RETURN(grant.ticket, gate_.Admit(chunk, chunk.token(), kTokenRead));
  context_.pace.NoteClient();
  ASSIGN_OR_RETURN(const Moment before, Look(chunk));
  RETURN_IF_ERROR(CheckStanding(chunk));
  ASSIGN_OR_RETURN(SharedChunk shared, context_.store.Share(IdOf(chunk), FileOf(chunk)));
  grant.answer = AnswerOf(shared.blocks);
  grant.file = std::move(shared.file);
  ASSIGN_OR_RETURN(const Moment after, Look(chunk));
  if (before != after) {
    return Fail(ErrorCode::kBusy, "chunk {} was changed meanwhile", IdOf(chunk));
  }
  grant.answer.set_chunk_change(before.chunk_change);
  grant.answer.set_group_change(before.group_change);
  return grant;
}

bool LocalGrants::IsShutOut(SessionId session) const {
  return !context_.fences.Check(session).ok();
}

}  // namespace cairn

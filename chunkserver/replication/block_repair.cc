#include "chunkserver/replication/block_repair.h"

#include <algorithm>

#include "chunkserver/replication/wire.h"
#include "common/logging.h"

namespace cairn {
namespace {

constexpr Duration kHoldWait = std::chrono::seconds(2);
constexpr Duration kPeerWait = std::chrono::seconds(2);
constexpr uint32_t kBlocksPerTransfer = kMaxTransferBytes / kBlockSize;

v1::ListBlocksRequest ListRequest(const Group& group, ChunkId id) {
  v1::ListBlocksRequest request;
  request.set_group(group.id.value);
  request.set_epoch(group.epoch.value);
  request.set_inode(id.inode.value);
  request.set_index(id.index);
  return request;
}

v1::FetchBlocksRequest FetchRequest(const Group& group, ChunkId id, uint32_t first,
                                    uint32_t count) {
  v1::FetchBlocksRequest request;
  request.set_group(group.id.value);
  request.set_epoch(group.epoch.value);
  request.set_inode(id.inode.value);
  request.set_index(id.index);
  request.set_first_block(first);
  request.set_block_count(count);
  return request;
}

bool HasBlock(const v1::ListBlocksResponse& blocks, uint32_t block) {
  const auto count = static_cast<size_t>(blocks.crcs_size());
  if (blocks.absent() || block >= count) return false;
  return UnpackBits(blocks.present(), count)[block] && !UnpackBits(blocks.suspect(), count)[block];
}

}  // namespace

BlockRepair::Copies BlockRepair::FindCopies(const Group& group, ChunkId id, bool active_only) {
  Copies copies;
  for (const GroupMember& member : group.members) {
    if (member.server == context_.table.self() || (active_only && !member.active)) continue;
    auto answer = context_.peers.Call<v1::ListBlocksResponse>(
        member.server, v1::CHUNK_LIST_BLOCKS, ListRequest(group, id), Deadline::After(kPeerWait));
    if (answer.has_value()) {
      copies.found.push_back({member.server, std::move(*answer)});
    } else {
      copies.silent = true;
      copies.active_silent = copies.active_silent || member.active;
    }
  }
  return copies;
}

bool BlockRepair::CopyBlock(const Group& group, const ChunkBlocks& own, uint32_t block,
                            const Copy& copy) {
  const Result<RawReply> reply =
      context_.peers.CallRaw(copy.server, v1::CHUNK_FETCH_BLOCKS,
                             FetchRequest(group, own.info.id, block, 1), {},
                             Deadline::After(kPeerWait));
  if (!reply.has_value()) return false;
  const auto response = reply->Parse<v1::FetchBlocksResponse>();
  if (!response.has_value() || reply->payload.size() != kBlockSize) return false;
  const std::vector<uint32_t> crcs = ToVector(response->crcs());
  if (!CrcsMatch(0, reply->payload.bytes(), crcs)) return false;
  BlockInstall install;
  install.info = own.info;
  install.group = group.id;
  install.chunk_size = own.info.chunk_size;
  install.first_block = block;
  install.data = reply->payload.bytes();
  install.crcs = crcs;
  const Status installed = context_.store.InstallBlocks(install);
  context_.HeardStore(installed);
  return installed.ok();
}

Status BlockRepair::RepairRange(PgId group_id, Epoch epoch, ChunkId id, BlockRange range) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group_id, epoch));
  const Group& group = *standing.group;
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) return OkStatus();
  Copies copies;
  bool asked = false;
  const auto end = std::min(range.end, static_cast<uint32_t>(own->crcs.size()));
  for (uint32_t block = range.first; block < end; ++block) {
    if (!own->present[block]) continue;
    if (context_.store.FetchBlocks(id, block, 1).has_value()) continue;
    if (!asked) copies = FindCopies(group, id, false);
    asked = true;
    const bool mended = std::any_of(copies.found.begin(), copies.found.end(), [&](const Copy& copy) {
      if (!HasBlock(copy.blocks, block)) return false;
      const ChunkVersion version = InfoOf(copy.blocks.summary()).version;
      const bool same_version = version == own->info.version && group.IsActive(copy.server);
      const bool same_crc = copy.blocks.crcs(static_cast<int>(block)) == own->crcs[block];
      // The primary may be ahead: what it has ordered since comes here too, and over these bytes.
      const bool ordered = copy.server == group.primary() && version > own->info.version;
      return (same_version || same_crc || ordered) && CopyBlock(group, *own, block, copy);
    });
    if (mended) {
      LOG_WARN("damaged block replaced by a copy chunk={} block={} pg={}", id, block, group.id);
      continue;
    }
    if (copies.active_silent) {
      return Status::Error(ErrorCode::kUnavailable,
                           "block {} of chunk {} is damaged and a member does not answer", block,
                           id);
    }
    context_.damage.Add(id, group.id);
    LOG_ERROR("damaged block has no good copy chunk={} block={} pg={}", id, block, group.id);
    return Status::Error(ErrorCode::kIoError, "no good copy of block {} of chunk {}", block, id);
  }
  context_.damage.Remove(id);
  return OkStatus();
}

Status BlockRepair::CopyWhole(const Group& group, const Copy& copy) {
  const auto total = static_cast<uint32_t>(copy.blocks.crcs_size());
  const std::vector<bool> present = UnpackBits(copy.blocks.present(), total);
  BlockInstall install;
  install.info = InfoOf(copy.blocks.summary());
  install.group = group.id;
  install.chunk_size = install.info.chunk_size;
  for (uint32_t first = 0; first < total;) {
    uint32_t end = first;
    while (end < total && present[end] && end - first < kBlocksPerTransfer) ++end;
    if (end == first) {
      ++first;
      continue;
    }
    ASSIGN_OR_RETURN(
        const RawReply reply,
        context_.peers.CallRaw(copy.server, v1::CHUNK_FETCH_BLOCKS,
                               FetchRequest(group, install.info.id, first, end - first), {},
                               Deadline::After(kPeerWait)));
    ASSIGN_OR_RETURN(const auto response, reply.Parse<v1::FetchBlocksResponse>());
    const std::vector<uint32_t> crcs = ToVector(response.crcs());
    if (!CrcsMatch(0, reply.payload.bytes(), crcs) || crcs.size() != end - first) {
      return Status::Error(ErrorCode::kCorruption, "server {} sent other blocks than it named",
                           copy.server);
    }
    install.first_block = first;
    install.data = reply.payload.bytes();
    install.crcs = crcs;
    RETURN_IF_ERROR(context_.store.InstallBlocks(install));
    first = end;
  }
  return OkStatus();
}

Status BlockRepair::RepairMissing(PgId group_id, Epoch epoch, ChunkId id) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group_id, epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> info, context_.store.Info(id));
  if (info.has_value()) return OkStatus();
  const Copies copies = FindCopies(*standing.group, id, true);
  bool silent = copies.active_silent;
  for (const Copy& copy : copies.found) {
    if (copy.blocks.absent()) continue;
    const Status copied = CopyWhole(*standing.group, copy);
    context_.HeardStore(copied);
    if (copied.ok()) {
      LOG_WARN("missing chunk replaced by a copy chunk={} pg={}", id, group_id);
      context_.damage.Remove(id);
      return copied;
    }
    // Half a copy must not pass for the chunk.
    RETURN_IF_ERROR(context_.store.Drop(id));
    silent = true;
  }
  if (silent) {
    return Status::Error(ErrorCode::kUnavailable,
                         "chunk {} is missing here and a member does not answer", id);
  }
  context_.damage.Add(id, group_id);
  LOG_ERROR("chunk is missing on all active members chunk={} pg={}", id, group_id);
  return Status::Error(ErrorCode::kIoError, "chunk {} is missing inside the written runs", id);
}

Status BlockRepair::HealSuspects(const Group& group, ChunkId id, bool patient) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(const std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) return OkStatus();
  const Copies copies = FindCopies(group, id, false);
  bool left = false;
  for (uint32_t block = 0; block < own->suspect.size(); ++block) {
    if (!own->suspect[block]) continue;
    const bool healed = std::any_of(copies.found.begin(), copies.found.end(), [&](const Copy& copy) {
      if (!HasBlock(copy.blocks, block)) return false;
      // A member that was left behind long ago also matches its own CRC: only the CRC this server
      // wrote last, or a version not behind its own, shows that nothing acknowledged is undone.
      const bool as_it_was = copy.blocks.crcs(static_cast<int>(block)) == own->crcs[block];
      const bool not_behind = InfoOf(copy.blocks.summary()).version >= own->info.version;
      return (as_it_was || not_behind) && CopyBlock(group, *own, block, copy);
    });
    left = left || !healed;
  }
  if (!left) return OkStatus();
  if (patient && copies.silent) {
    return Status::Error(ErrorCode::kUnavailable,
                         "chunk {} is in doubt and a member that may have it was not heard", id);
  }
  LOG_WARN("blocks in doubt after an unclean stop match no copy, adopted chunk={} pg={}", id,
           group.id);
  const Status adopted = context_.store.Adopt(id);
  context_.HeardStore(adopted);
  return adopted;
}

}  // namespace cairn

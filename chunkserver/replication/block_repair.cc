#include "chunkserver/replication/block_repair.h"

#include <algorithm>
#include <array>

#include "chunkserver/replication/seeded_bug.h"
#include "chunkserver/replication/wire.h"
#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn {
namespace {

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

BlockRepair::Copies BlockRepair::FindCopies(const Group& group, ChunkId id, bool active_only,
                                            std::set<ServerId>& hung) {
  Copies copies;
  for (const GroupMember& member : group.members) {
    if (member.server == context_.table.self() || (active_only && !member.active)) continue;
    Status status(ErrorCode::kDeadlineExceeded, "it did not answer just before");
    if (!hung.contains(member.server)) {
      auto answer = context_.peers.Call<v1::ListBlocksResponse>(
          member.server, v1::CHUNK_LIST_BLOCKS, ListRequest(group, id), Deadline::After(kPeerWait));
      status = internal::StatusOf(answer);
      if (status.ok()) copies.found.push_back({member.server, std::move(*answer)});
    }
    if (status.ok()) continue;
    copies.silent = true;
    copies.active_silent = copies.active_silent || member.active;
    if (status.code() == ErrorCode::kDeadlineExceeded) hung.insert(member.server);
  }
  return copies;
}

Status BlockRepair::FetchInto(const Group& group, ChunkId id, const Copy& copy, uint32_t first,
                              std::span<std::byte> out) {
  const auto count = static_cast<uint32_t>(out.size() / kBlockSize);
  const Result<RawReply> reply =
      context_.peers.CallRaw(copy.server, v1::CHUNK_FETCH_BLOCKS,
                             FetchRequest(group, id, first, count), {}, Deadline::After(kPeerWait));
  if (!reply.has_value()) {
    const ErrorCode code = reply.error().code();
    const bool has_none = code == ErrorCode::kCorruption || code == ErrorCode::kChunkMissing;
    return Status(has_none ? ErrorCode::kCorruption : ErrorCode::kUnavailable,
                  reply.error().message());
  }
  const auto listed = copy.blocks.crcs().begin() + static_cast<int>(first);
  const std::vector<uint32_t> crcs(listed, listed + static_cast<int>(count));
  if (reply->payload.size() != out.size() || !CrcsMatch(0, reply->payload.bytes(), crcs)) {
    return Status::Error(ErrorCode::kUnavailable, "server {} sent other blocks than it named",
                         copy.server);
  }
  std::copy(reply->payload.bytes().begin(), reply->payload.bytes().end(), out.begin());
  return OkStatus();
}

Status BlockRepair::CopyBlock(const Group& group, ChunkBlocks& own, uint32_t block,
                              const Copy& copy) {
  std::array<std::byte, kBlockSize> bytes;
  RETURN_IF_ERROR(FetchInto(group, own.info.id, copy, block, bytes));
  const uint32_t crc = copy.blocks.crcs(static_cast<int>(block));
  if (crc != own.crcs[block]) {
    own.info.last_session = SessionId();
    own.info.last_sequence = 0;
    ChunkGate& gate = *context_.gates.Get(own.info.id);
    gate.asked_store = false;
    gate.ForgetFinished();
  }
  BlockInstall install;
  install.info = own.info;
  install.group = group.id;
  install.chunk_size = own.info.chunk_size;
  install.first_block = block;
  install.data = bytes;
  install.crcs = {&crc, 1};
  const Status installed = context_.store.InstallBlocks(install);
  context_.HeardStore(installed);
  if (installed.ok()) return installed;
  return Status(ErrorCode::kUnavailable, installed.message());
}

Status BlockRepair::CopyBlockFromAny(const Group& group, ChunkBlocks& own, uint32_t block,
                                     const Copies& copies,
                                     const std::function<bool(const Copy&)>& suits) {
  Status result(ErrorCode::kCorruption, "no member has a copy");
  for (const Copy& copy : copies.found) {
    if (!HasBlock(copy.blocks, block) || !suits(copy)) continue;
    const Status copied = CopyBlock(group, own, block, copy);
    if (copied.ok()) return copied;
    if (copied.code() != ErrorCode::kCorruption) result = copied;
  }
  return result;
}

Status BlockRepair::RepairBlock(const Group& group, ChunkBlocks& own, uint32_t block,
                                std::optional<Copies>& copies) {
  const ChunkId id = own.info.id;
  const Status here = internal::StatusOf(context_.store.FetchBlocks(id, block, 1));
  context_.HeardStore(here);
  if (here.ok() || ReplicationBugIs(ReplicationBug::kDamageKept)) return OkStatus();
  if (here.code() != ErrorCode::kCorruption) return Status(ErrorCode::kUnavailable, here.message());
  std::set<ServerId> hung;
  if (!copies.has_value()) copies = FindCopies(group, id, false, hung);
  const auto suits = [&](const Copy& copy) {
    if (copy.blocks.crcs(static_cast<int>(block)) == own.crcs[block]) return true;
    const ChunkInfo theirs = InfoOf(copy.blocks.summary());
    // The primary may be ahead: what it has ordered since comes here too, and over these bytes.
    const bool ordered = copy.server == group.primary() && theirs.version > own.info.version &&
                         theirs.generation >= own.info.generation;
    // Cuts do not change versions: a copy of another stamp may hold bytes from behind one.
    const bool same = group.IsActive(copy.server) && theirs.version == own.info.version &&
                      theirs.generation == own.info.generation;
    return ordered || same;
  };
  const Status mended = CopyBlockFromAny(group, own, block, *copies, suits);
  if (mended.ok()) {
    LOG_WARN("damaged block replaced by a copy chunk={} block={} pg={}", id, block, group.id);
  }
  if (mended.code() == ErrorCode::kCorruption && copies->active_silent) {
    return Status::Error(ErrorCode::kUnavailable,
                         "block {} of chunk {} is damaged and a member does not answer", block, id);
  }
  return mended;
}

Status BlockRepair::RepairRange(PgId group_id, Epoch epoch, ChunkId id, BlockRange range) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group_id, epoch));
  ASSIGN_OR_RETURN(std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) return OkStatus();
  std::optional<Copies> copies;
  const auto end = std::min(range.end, static_cast<uint32_t>(own->crcs.size()));
  for (uint32_t block = range.first; block < end; ++block) {
    if (!own->present[block]) continue;
    const Status mended = RepairBlock(*standing.group, *own, block, copies);
    if (mended.ok()) continue;
    if (mended.code() != ErrorCode::kCorruption) return mended;
    context_.damage.RemoveBlocks(id, range.first, block);
    context_.damage.AddBlock(id, group_id, block);
    LOG_ERROR("damaged block has no good copy chunk={} block={} pg={}", id, block, group_id);
    return Status::Error(ErrorCode::kIoError, "no good copy of block {} of chunk {}", block, id);
  }
  context_.damage.RemoveBlocks(id, range.first, range.end);
  return OkStatus();
}

Status BlockRepair::CopyWhole(const Group& group, const Copy& copy) {
  const auto total = static_cast<uint32_t>(copy.blocks.crcs_size());
  BlockInstall install;
  install.info = InfoOf(copy.blocks.summary());
  install.group = group.id;
  install.chunk_size = install.info.chunk_size;
  install.ordered = true;
  if (total > kMaxChunkSize / kBlockSize) {
    return Status::Error(ErrorCode::kUnavailable, "server {} lists {} blocks", copy.server, total);
  }
  const std::vector<bool> present = UnpackBits(copy.blocks.present(), total);
  std::vector<std::byte> data(size_t{total} * kBlockSize);
  std::vector<uint32_t> crcs = ToVector(copy.blocks.crcs());
  const uint32_t zero_crc = Crc32c(std::array<std::byte, kBlockSize>{});
  for (uint32_t first = 0; first < total;) {
    uint32_t end = first;
    while (end < total && present[end] && end - first < kBlocksPerTransfer) ++end;
    if (end == first) {
      install.absent_blocks.push_back(first);
      crcs[first++] = zero_crc;
      continue;
    }
    const size_t length = size_t{end - first} * kBlockSize;
    RETURN_IF_ERROR(FetchInto(group, install.info.id, copy, first,
                              std::span(data).subspan(size_t{first} * kBlockSize, length)));
    first = end;
  }
  // At once: half a copy must not pass for the chunk, to a reader or after a crash.
  install.data = data;
  install.crcs = crcs;
  const Status installed = context_.store.InstallBlocks(install);
  context_.HeardStore(installed);
  return installed.code() == ErrorCode::kDiskFailed
             ? Status(ErrorCode::kUnavailable, installed.message())
             : installed;
}

Status BlockRepair::CopyMissing(const Group& group, ChunkId id, ServerId from) {
  auto blocks = context_.peers.Call<v1::ListBlocksResponse>(
      from, v1::CHUNK_LIST_BLOCKS, ListRequest(group, id), Deadline::After(kPeerWait));
  RETURN_IF_ERROR(blocks);
  if (blocks->absent()) return OkStatus();
  RETURN_IF_ERROR(CopyWhole(group, {from, std::move(*blocks)}));
  LOG_WARN("missing chunk copied from a member chunk={} pg={} server={}", id, group.id, from);
  context_.damage.Remove(id);
  return OkStatus();
}

Status BlockRepair::RepairMissing(PgId group_id, Epoch epoch, ChunkId id) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(const Standing standing, context_.table.Stand(group_id, epoch));
  ASSIGN_OR_RETURN(const std::optional<ChunkInfo> info, context_.store.Info(id));
  if (info.has_value()) return OkStatus();
  std::set<ServerId> hung;
  const Copies copies = FindCopies(*standing.group, id, true, hung);
  bool may_exist = copies.active_silent;
  for (const Copy& copy : copies.found) {
    if (copy.blocks.absent()) continue;
    const Status copied = CopyWhole(*standing.group, copy);
    if (copied.ok()) {
      LOG_WARN("missing chunk replaced by a copy chunk={} pg={}", id, group_id);
      context_.damage.Remove(id);
      return copied;
    }
    may_exist = may_exist || copied.code() != ErrorCode::kCorruption;
  }
  if (may_exist) {
    return Status::Error(ErrorCode::kUnavailable,
                         "chunk {} is missing here and could not be copied from a member", id);
  }
  context_.damage.AddChunk(id, group_id);
  LOG_ERROR("chunk has no good copy on any active member chunk={} pg={}", id, group_id);
  return Status::Error(ErrorCode::kIoError, "chunk {} is missing inside the written runs", id);
}

Status BlockRepair::HealSuspects(const Group& group, ChunkId id, bool patient,
                                 std::set<ServerId>& hung) {
  HeldChunk held(context_.gates.Get(id), Deadline::After(kHoldWait));
  if (!held.ok()) return Status::Error(ErrorCode::kUnavailable, "chunk {} is being written", id);
  ASSIGN_OR_RETURN(std::optional<ChunkBlocks> own, context_.store.Blocks(id));
  if (!own.has_value()) return OkStatus();
  const Copies copies = FindCopies(group, id, false, hung);
  bool left = false;
  for (uint32_t block = 0; block < own->suspect.size(); ++block) {
    if (!own->suspect[block]) continue;
    const Status healed = CopyBlockFromAny(group, *own, block, copies, [&](const Copy& copy) {
      // A member that was left behind long ago also matches its own CRC: only the CRC this server
      // wrote last, or a version not behind its own, shows that nothing acknowledged is undone.
      const ChunkInfo theirs = InfoOf(copy.blocks.summary());
      const bool as_it_was = copy.blocks.crcs(static_cast<int>(block)) == own->crcs[block];
      return as_it_was ||
             (theirs.version >= own->info.version && theirs.generation >= own->info.generation);
    });
    if (!healed.ok() && healed.code() != ErrorCode::kCorruption) return healed;
    left = left || !healed.ok();
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

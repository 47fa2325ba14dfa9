#include "chunkserver/store/chunk_writer.h"

#include <array>

#include "chunkserver/store/chunk_change.h"
#include "chunkserver/store/chunk_cut.h"
#include "chunkserver/store/write_plan.h"
#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn {
namespace {

// That the pieces of `data` match `crcs`.
Status CheckPieces(ChunkId id, uint64_t offset, std::span<const std::byte> data,
                   std::span<const uint32_t> crcs) {
  if (crcs.size() != CountPieces(offset, data.size())) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} CRCs for {} bytes at {} of chunk {}",
                         crcs.size(), data.size(), offset, id);
  }
  return VisitPieces(
      offset, data, [&](size_t index, uint64_t at, std::span<const std::byte> bytes) {
        if (Crc32c(bytes) == crcs[index]) return OkStatus();
        return Status::Error(ErrorCode::kCorruption,
                             "bytes at {} for chunk {} do not match their CRC", at, id);
      });
}

// What a write needs room for: blocks that are present already have theirs.
Result<size_t> NewBytes(Chunk& chunk, uint64_t offset, size_t size_bytes) {
  BlockEdits rows(chunk);
  size_t blocks = 0;
  for (uint64_t block = offset / kBlockSize; block * kBlockSize < offset + size_bytes; ++block) {
    ASSIGN_OR_RETURN(std::optional<uint32_t> crc, rows.OldCrc(static_cast<uint32_t>(block)));
    blocks += crc ? 0 : 1;
  }
  return blocks * kBlockSize;
}

// The index is asked what is present only when there is not room for all of it.
Status AdmitBlocks(StoreParts& parts, Chunk& chunk, uint64_t offset, size_t size_bytes,
                   bool ordered) {
  Status admitted = parts.room.Admit(size_bytes, ordered);
  if (admitted.code() != ErrorCode::kNoSpace) return admitted;
  ASSIGN_OR_RETURN(const size_t new_bytes, NewBytes(chunk, offset, size_bytes));
  return parts.room.Admit(new_bytes, ordered);
}

Result<bool> IsAnyPresent(Chunk& chunk, const std::vector<uint32_t>& blocks) {
  BlockEdits rows(chunk);
  for (uint32_t block : blocks) {
    ASSIGN_OR_RETURN(std::optional<uint32_t> crc, rows.OldCrc(block));
    if (crc) return true;
  }
  return false;
}

ChunkRow RowOfInstall(const BlockInstall& install) {
  ChunkRow row;
  row.group = install.group;
  row.chunk_size = install.chunk_size;
  row.version = install.info.version;
  row.stamp = install.info.generation;
  row.last_session = install.info.last_session;
  row.last_sequence = install.info.last_sequence;
  return row;
}

}  // namespace

Status CheckWrite(const ChunkWrite& write) {
  RETURN_IF_ERROR(CheckChunkId(write.id));
  RETURN_IF_ERROR(CheckFileState(write.file));
  if (write.data.empty() || uint64_t{write.offset} + write.data.size() > write.file.chunk_size) {
    return Status::Error(ErrorCode::kInvalidArgument, "write of {} bytes at {} of chunk {}",
                         write.data.size(), write.offset, write.id);
  }
  return CheckPieces(write.id, write.offset, write.data, write.crcs);
}

Status WriteChunk(StoreParts& parts, Chunk& chunk, const ChunkWrite& write) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (row && row->group != write.group) {
    return Status::Error(ErrorCode::kInvalidArgument, "chunk {} belongs to group {}, not {}",
                         write.id, row->group, write.group);
  }
  if (row) {
    RETURN_IF_ERROR(CheckFits(write.id, *row, write.file));
    RETURN_IF_ERROR(ApplyMissedCuts(parts, chunk, write.file));
  }
  RETURN_IF_ERROR(AdmitBlocks(parts, chunk, write.offset, write.data.size(), write.ordered));
  // Before the plan: it may find the file of an earlier chunk of this id and clear it away.
  RETURN_IF_ERROR(BeginChange(parts, chunk));
  WritePlan plan(parts, chunk);
  RETURN_IF_ERROR(plan.Build(write.offset, write.data, write.crcs));
  RETURN_IF_ERROR(WriteExtents(parts, chunk, plan.extents()));

  ChunkRow next;
  next.group = write.group;
  next.chunk_size = write.file.chunk_size;
  next.version = write.version;
  next.stamp = write.file.generation;
  next.last_session = write.session;
  next.last_sequence = write.sequence;
  RETURN_IF_ERROR(CommitChange(parts, chunk, next, plan.edits()));
  parts.adopted_blocks += plan.adopted();
  return OkStatus();
}

Status CheckInstall(const BlockInstall& install) {
  RETURN_IF_ERROR(CheckChunkId(install.info.id));
  RETURN_IF_ERROR(CheckChunkSize(install.chunk_size));
  const uint64_t offset = uint64_t{install.first_block} * kBlockSize;
  if (install.data.size() % kBlockSize != 0 || offset + install.data.size() > install.chunk_size) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} bytes to install at block {} of chunk {}",
                         install.data.size(), install.first_block, install.info.id);
  }
  const uint32_t blocks = install.chunk_size / kBlockSize;
  for (uint32_t block : install.absent_blocks) {
    if (block >= blocks) {
      return Status::Error(ErrorCode::kInvalidArgument, "absent block {} of chunk {}", block,
                           install.info.id);
    }
  }
  return CheckPieces(install.info.id, offset, install.data, install.crcs);
}

Status InstallChunkBlocks(StoreParts& parts, Chunk& chunk, const BlockInstall& install) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (row && row->chunk_size != install.chunk_size) {
    return Status::Error(ErrorCode::kInvalidArgument, "chunk {} has size {}, not {}", chunk.id(),
                         row->chunk_size, install.chunk_size);
  }
  const uint64_t offset = uint64_t{install.first_block} * kBlockSize;
  RETURN_IF_ERROR(AdmitBlocks(parts, chunk, offset, install.data.size(), install.ordered));
  RETURN_IF_ERROR(BeginChange(parts, chunk));
  ASSIGN_OR_RETURN(const bool had_bytes, IsAnyPresent(chunk, install.absent_blocks));
  WritePlan plan(parts, chunk);
  RETURN_IF_ERROR(plan.Build(offset, install.data, install.crcs));
  RETURN_IF_ERROR(WriteExtents(parts, chunk, plan.extents()));
  // What is copied is synced soon (rule C4): all of it at once would hold up clients' fsyncs.
  RETURN_IF_ERROR(chunk.StartWriteOut(offset, install.data.size()));
  for (uint32_t block : install.absent_blocks) RETURN_IF_ERROR(plan.edits().Clear(block));
  RETURN_IF_ERROR(CommitChange(parts, chunk, RowOfInstall(install), plan.edits()));
  RETURN_IF_ERROR(EraseBlocks(parts, chunk, install.absent_blocks));
  // Once more: a sync between row and erasure does not count.
  parts.unsealed.NoteChange(chunk.id(), install.group, parts.clock.Now());
  return had_bytes ? SyncBytes(parts, chunk) : OkStatus();
}

Status AdoptSuspects(StoreParts& parts, Chunk& chunk) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  const std::set<uint32_t> suspects = parts.doubts.Suspects(chunk.id());
  if (!row || suspects.empty()) return OkStatus();
  RETURN_IF_ERROR(BeginChange(parts, chunk));
  row->sealed = false;
  ForgetLastRequest(*row);
  BlockEdits edits(chunk);
  std::array<std::byte, kBlockSize> bytes;
  for (uint32_t block : suspects) {
    RETURN_IF_ERROR(chunk.ReadBytes(uint64_t{block} * kBlockSize, bytes));
    RETURN_IF_ERROR(edits.Set(block, Crc32c(bytes)));
  }
  RETURN_IF_ERROR(CommitChange(parts, chunk, *row, edits));
  parts.adopted_blocks += suspects.size();
  LOG_WARN("suspect blocks accepted as they are chunk={} blocks={}", chunk.id(), suspects.size());
  return OkStatus();
}

}  // namespace cairn

#include "chunkserver/store/chunk_cut.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "chunkserver/store/chunk_change.h"
#include "common/crc32c.h"

namespace cairn {
namespace {

// Clears every present block from `first` on.
Status ClearFrom(StoreParts& parts, Chunk& chunk, uint32_t first, BlockEdits& edits) {
  return parts.index->View().VisitCrcs(chunk.id(), first / kBlocksPerRow,
                                       [&](uint32_t row_number, const CrcRow& row) -> Status {
                                         for (uint32_t bit = 0; bit < kBlocksPerRow; ++bit) {
                                           const uint32_t block = row_number * kBlocksPerRow + bit;
                                           if (block >= first && row.Has(bit))
                                             RETURN_IF_ERROR(edits.Clear(block));
                                         }
                                         return OkStatus();
                                       });
}

// On disk on return: a stamp that outlives the power while the cut does not would show old bytes
// once the file grows.
Status CutFile(StoreParts& parts, Chunk& chunk, uint32_t end) {
  ASSIGN_OR_RETURN(uint64_t size, chunk.FileSize());
  if (size <= end) return OkStatus();
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, chunk.OpenFile(/*create=*/false));
  chunk.ForgetSize();
  Status status = file->Truncate(end);
  // Without the stamp the cut is tried again.
  if (status.code() == ErrorCode::kNoSpace) return status;
  RETURN_IF_ERROR(parts.health.Fatal(std::move(status)));
  return SyncBytes(parts, chunk);
}

struct ShortenedBlock {
  uint32_t block = 0;
  uint32_t crc = 0;  // afterwards
  uint32_t adopted = 0;
};

// The block the cut falls in, if it is present. Damage stays damage: its new CRC matches nothing.
Result<std::optional<ShortenedBlock>> Shorten(StoreParts& parts, Chunk& chunk, uint32_t end) {
  ShortenedBlock shortened{.block = end / kBlockSize};
  const uint32_t kept = end % kBlockSize;
  BlockEdits rows(chunk);
  if (kept == 0) return std::optional<ShortenedBlock>();
  ASSIGN_OR_RETURN(std::optional<uint32_t> old_crc, rows.OldCrc(shortened.block));
  if (!old_crc) return std::optional<ShortenedBlock>();
  std::array<std::byte, kBlockSize> bytes;
  Status status = ReadForMerge(parts, chunk, shortened.block, *old_crc, bytes, shortened.adopted);
  if (!status.ok() && status.code() != ErrorCode::kCorruption) return Fail(status);
  std::memset(bytes.data() + kept, 0, kBlockSize - kept);
  shortened.crc = status.ok() ? Crc32c(bytes) : ~Crc32c(bytes);
  return std::optional<ShortenedBlock>(shortened);
}

Status CutAt(StoreParts& parts, Chunk& chunk, uint32_t end, uint64_t stamp) {
  BlockEdits cleared(chunk);
  RETURN_IF_ERROR(ClearFrom(parts, chunk, (end + kBlockSize - 1) / kBlockSize, cleared));
  ASSIGN_OR_RETURN(std::optional<ShortenedBlock> shortened, Shorten(parts, chunk, end));
  if (cleared.empty() && !shortened) return CutFile(parts, chunk, end);

  RETURN_IF_ERROR(BeginChange(parts, chunk));
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  // Blocks stop being present before their bytes go: the bytes of an absent block mean nothing. The
  // stamp comes last, so that a crash on the way leads here again.
  RETURN_IF_ERROR(CommitChange(parts, chunk, *row, cleared));
  RETURN_IF_ERROR(CutFile(parts, chunk, end));
  BlockEdits last(chunk);
  if (shortened) RETURN_IF_ERROR(last.Set(shortened->block, shortened->crc));
  row->stamp = stamp;
  if (shortened && shortened->adopted > 0) ForgetLastRequest(*row);
  RETURN_IF_ERROR(CommitChange(parts, chunk, *row, last));
  if (shortened) parts.adopted_blocks += shortened->adopted;
  return OkStatus();
}

}  // namespace

std::optional<uint32_t> MissedCut(ChunkId id, const ChunkRow& row, const FileState& file) {
  const uint64_t start = uint64_t{id.index} * row.chunk_size;
  std::optional<uint32_t> end;
  for (const FileCut& cut : file.cuts) {
    if (cut.generation <= row.stamp || cut.length >= start + row.chunk_size) continue;
    const auto here = static_cast<uint32_t>(cut.length > start ? cut.length - start : 0);
    end = std::min(end.value_or(here), here);
  }
  return end;
}

Status ApplyMissedCuts(StoreParts& parts, Chunk& chunk, const FileState& file) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  std::optional<uint32_t> end = MissedCut(chunk.id(), *row, file);
  return end ? CutAt(parts, chunk, *end, file.generation) : OkStatus();
}

Status RemoveByRule(StoreParts& parts, Chunk& chunk, const FileState& file, bool whole) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) return OkStatus();
  if (row->stamp > file.generation || (!whole && row->stamp == file.generation)) return OkStatus();
  RETURN_IF_ERROR(CheckFits(chunk.id(), *row, file));
  if (whole || MissedCut(chunk.id(), *row, file) == 0u) return DropChunk(parts, chunk);
  return ApplyMissedCuts(parts, chunk, file);
}

}  // namespace cairn

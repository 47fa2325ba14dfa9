#include "chunkserver/store/chunk_recovery.h"

#include <cstdint>
#include <vector>

#include "chunkserver/store/set_aside.h"
#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn {
namespace {

// A file without a row: a crash came between the first data of a chunk and its first index batch,
// or between the removal of the rows and that of the file. Nothing in it was ever acknowledged, or
// it was removed.
Status RemoveFilesWithoutRow(StoreParts& parts) {
  ASSIGN_OR_RETURN(std::vector<ChunkId> ids, parts.files.List());
  size_t removed = 0;
  for (ChunkId id : ids) {
    ASSIGN_OR_RETURN(std::optional<ChunkRow> row, parts.index->Chunk(id));
    if (row) continue;
    RETURN_IF_ERROR(parts.files.Remove(id));
    ++removed;
  }
  if (removed > 0) LOG_INFO("files without an index row removed count={}", removed);
  return OkStatus();
}

// Reads the row's 64 blocks at once. Returns how many do not match.
Result<size_t> VerifyRow(StoreParts& parts, Chunk& chunk, PgId group, uint32_t row_number,
                         const CrcRow& row, std::span<std::byte> buffer) {
  RETURN_IF_ERROR(chunk.ReadBytes(uint64_t{row_number} * buffer.size(), buffer));
  size_t suspect = 0;
  for (uint32_t bit = 0; bit < kBlocksPerRow; ++bit) {
    if (!row.Has(bit)) continue;
    if (Crc32c(buffer.subspan(size_t{bit} * kBlockSize, kBlockSize)) == row.crcs[bit]) continue;
    parts.doubts.AddSuspect(chunk.id(), group, row_number * kBlocksPerRow + bit);
    ++suspect;
  }
  return suspect;
}

Status VerifyChunk(StoreParts& parts, ChunkId id, std::span<std::byte> buffer) {
  std::shared_ptr<Chunk> chunk = parts.chunks.Get(id);
  absl::WriterMutexLock lock(&chunk->mu);
  ASSIGN_OR_RETURN(std::optional<ChunkRow> chunk_row, chunk->Row());
  if (!chunk_row) return Status::Error(ErrorCode::kIoError, "unsealed chunk {} has no row", id);
  size_t suspect = 0;
  RETURN_IF_ERROR(
      parts.index->View().VisitCrcs(id, 0, [&](uint32_t row_number, const CrcRow& row) -> Status {
        ASSIGN_OR_RETURN(size_t bad,
                         VerifyRow(parts, *chunk, chunk_row->group, row_number, row, buffer));
        suspect += bad;
        return OkStatus();
      }));
  if (suspect > 0) LOG_WARN("suspect after an unclean stop chunk={} blocks={}", id, suspect);
  parts.unsealed.NoteChange(id, chunk_row->group, parts.clock.Now());
  return OkStatus();
}

}  // namespace

Status RecoverChunks(StoreParts& parts, bool clean_stop) {
  RETURN_IF_ERROR(parts.index->View().VisitChunks(
      std::nullopt, SIZE_MAX,
      [&](ChunkId id, const ChunkRow& row) { parts.usage.Add(id, row); }));
  RETURN_IF_ERROR(TakeBackHalfSetAside(parts));
  if (!clean_stop) RETURN_IF_ERROR(RemoveFilesWithoutRow(parts));
  // After a clean stop only chunks whose suspects were never resolved are left.
  ASSIGN_OR_RETURN(std::vector<ChunkId> unsealed, parts.index->View().Unsealed());
  std::vector<std::byte> buffer(size_t{kBlocksPerRow} * kBlockSize);
  for (ChunkId id : unsealed) RETURN_IF_ERROR(VerifyChunk(parts, id, buffer));
  if (!unsealed.empty()) LOG_INFO("unsealed chunks verified count={}", unsealed.size());
  return OkStatus();
}

}  // namespace cairn

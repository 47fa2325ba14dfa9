#include "chunkserver/store/chunk_recovery.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "chunkserver/store/chunk_change.h"
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

// One unsealed chunk: what lies under its blocks is proven, or erased.
class ChunkProof {
 public:
  // `buffer`: room for the blocks of one row.
  ChunkProof(StoreParts& parts, Chunk& chunk, PgId group, std::span<std::byte> buffer)
      : parts_(parts), chunk_(chunk), group_(group), buffer_(buffer) {}

  Status Run() {
    ASSIGN_OR_RETURN(const uint64_t size, chunk_.FileSize());
    uint32_t next = 0;
    RETURN_IF_ERROR(parts_.index->View().VisitCrcs(
        chunk_.id(), 0, [&](uint32_t row_number, const CrcRow& row) -> Status {
          for (; next < row_number; ++next) RETURN_IF_ERROR(Look(next, CrcRow(), size));
          next = row_number + 1;
          return Look(row_number, row, size);
        }));
    for (; uint64_t{next} * kRowBytes < size; ++next) RETURN_IF_ERROR(Look(next, CrcRow(), size));
    return Erase();
  }
  size_t suspects() const { return suspects_; }

  static constexpr uint64_t kRowBytes = uint64_t{kBlocksPerRow} * kBlockSize;

 private:
  // Reads the row's 64 blocks at once.
  Status Look(uint32_t row_number, const CrcRow& row, uint64_t file_size) {
    const uint64_t start = row_number * kRowBytes;
    if (row.present == 0 && start >= file_size) return OkStatus();
    RETURN_IF_ERROR(chunk_.ReadBytes(start, buffer_));
    for (uint32_t bit = 0; bit < kBlocksPerRow; ++bit) {
      const uint32_t block = row_number * kBlocksPerRow + bit;
      const auto bytes = buffer_.subspan(size_t{bit} * kBlockSize, kBlockSize);
      if (row.Has(bit) && Crc32c(bytes) != row.crcs[bit]) {
        parts_.doubts.AddSuspect(chunk_.id(), group_, block);
        ++suspects_;
      }
      if (!row.Has(bit) &&
          std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; })) {
        stray_.push_back(block);
      }
    }
    return OkStatus();
  }

  // What a crash left of a change whose row it took away. A later write beside it, cut short by the
  // next loss of power, would bring it back in a block that is then accepted as it is.
  Status Erase() {
    if (stray_.empty()) return OkStatus();
    LOG_INFO("bytes without a row erased chunk={} blocks={}", chunk_.id(), stray_.size());
    return EraseBlocks(parts_, chunk_, stray_);
  }

  StoreParts& parts_;
  Chunk& chunk_;
  const PgId group_;
  const std::span<std::byte> buffer_;
  std::vector<uint32_t> stray_;  // blocks that are not present and hold bytes
  size_t suspects_ = 0;
};

Status VerifyChunk(StoreParts& parts, ChunkId id, std::span<std::byte> buffer) {
  std::shared_ptr<Chunk> chunk = parts.chunks.Get(id);
  absl::WriterMutexLock lock(&chunk->mu);
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk->Row());
  if (!row) return Status::Error(ErrorCode::kIoError, "unsealed chunk {} has no row", id);
  ChunkProof proof(parts, *chunk, row->group, buffer);
  RETURN_IF_ERROR(proof.Run());
  if (proof.suspects() > 0) {
    LOG_WARN("suspect after an unclean stop chunk={} blocks={}", id, proof.suspects());
  }
  parts.unsealed.NoteChange(id, row->group, parts.clock.Now());
  return OkStatus();
}

}  // namespace

Status RecoverChunks(StoreParts& parts, bool clean_stop) {
  RETURN_IF_ERROR(parts.index->View().VisitChunks(
      std::nullopt, SIZE_MAX, [&](ChunkId id, const ChunkRow& row) { parts.usage.Add(id, row); }));
  RETURN_IF_ERROR(TakeBackHalfSetAside(parts));
  if (!clean_stop) RETURN_IF_ERROR(RemoveFilesWithoutRow(parts));
  // After a clean stop only chunks whose suspects were never resolved are left.
  ASSIGN_OR_RETURN(std::vector<ChunkId> unsealed, parts.index->View().Unsealed());
  std::vector<std::byte> buffer(ChunkProof::kRowBytes);
  for (ChunkId id : unsealed) RETURN_IF_ERROR(VerifyChunk(parts, id, buffer));
  // What was erased, and names removed by whoever ran before: see ChunkFiles::SyncRemoval.
  if (!clean_stop) RETURN_IF_ERROR(parts.health.Fatal(parts.files.SyncAll()));
  if (!unsealed.empty()) LOG_INFO("unsealed chunks verified count={}", unsealed.size());
  return OkStatus();
}

}  // namespace cairn

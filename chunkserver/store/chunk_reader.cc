#include "chunkserver/store/chunk_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/crc32c.h"

namespace cairn {
namespace {

uint32_t ZeroBlockCrc() {
  static const uint32_t crc = Crc32c(std::array<std::byte, kBlockSize>{});
  return crc;
}

// Whether the bytes of a block are right; zeros them if it was never written.
bool SettleBlock(std::span<std::byte> bytes, const CrcRow& row, uint32_t bit, uint32_t& crc) {
  if (row.Has(bit)) {
    crc = row.crcs[bit];
    return Crc32c(bytes) == crc;
  }
  std::memset(bytes.data(), 0, bytes.size());
  crc = ZeroBlockCrc();
  return true;
}

// Hands over each block of `bytes`, of which `first` is the first, with its row of CRCs.
template <typename Visit>
Status VisitBlocks(Chunk& chunk, uint32_t first, std::span<std::byte> bytes, const Visit& visit) {
  CrcRow row;
  for (size_t at = 0; at < bytes.size(); at += kBlockSize) {
    const uint32_t block = first + static_cast<uint32_t>(at / kBlockSize);
    if (at == 0 || block % kBlocksPerRow == 0) {
      ASSIGN_OR_RETURN(row, chunk.Crcs(block / kBlocksPerRow));
    }
    visit(block, bytes.subspan(at, kBlockSize), std::as_const(row));
  }
  return OkStatus();
}

Status Mismatch(StoreParts& parts, ChunkId id, uint32_t block, bool settle) {
  if (parts.doubts.IsSuspect(id, block)) {
    return Status::Error(ErrorCode::kCorruption,
                         "chunk {} block {} is suspect after an unclean stop", id, block);
  }
  if (settle) ReportDamage(parts, id, block);
  return Status::Error(ErrorCode::kCorruption, "chunk {} block {} is damaged", id, block);
}

}  // namespace

Result<ChunkRead> ReadBlocks(StoreParts& parts, Chunk& chunk, uint32_t first, uint32_t count,
                             bool settle, uint32_t cut) {
  ChunkRead read;
  read.data = Payload::Allocate(size_t{count} * kBlockSize);
  read.crcs.resize(count, ZeroBlockCrc());
  const std::span<std::byte> all = read.data.writable();
  const uint64_t offset = uint64_t{first} * kBlockSize;
  const size_t shown = std::clamp<uint64_t>(cut, offset, offset + all.size()) - offset;
  const std::span<std::byte> bytes =
      all.first((shown + kBlockSize - 1) / kBlockSize * kBlockSize);
  RETURN_IF_ERROR(chunk.ReadBytes(offset, bytes));
  Status status;
  // All blocks are looked at even after a bad one, so that each is counted.
  RETURN_IF_ERROR(VisitBlocks(chunk, first, bytes, [&](uint32_t block, auto here, auto& row) {
    uint32_t& crc = read.crcs[block - first];
    if (SettleBlock(here, row, block % kBlocksPerRow, crc)) return;
    status = Mismatch(parts, chunk.id(), block, settle);
  }));
  if (!status.ok()) return Fail(std::move(status));
  std::memset(all.data() + shown, 0, all.size() - shown);
  const std::span<std::byte> last = bytes.last(shown % kBlockSize == 0 ? 0 : kBlockSize);
  if (!last.empty()) read.crcs[shown / kBlockSize] = Crc32c(last);
  return read;
}

Result<BlockCheck> CheckBlocks(StoreParts& parts, Chunk& chunk, uint32_t first, uint32_t count,
                               bool settle) {
  std::vector<std::byte> bytes(size_t{count} * kBlockSize);
  const uint64_t offset = uint64_t{first} * kBlockSize;
  RETURN_IF_ERROR(chunk.DropCached(offset, bytes.size()));
  RETURN_IF_ERROR(chunk.ReadBytes(offset, bytes));
  // What was read for this alone must not push out what clients use.
  RETURN_IF_ERROR(chunk.DropCached(offset, bytes.size()));
  BlockCheck check;
  RETURN_IF_ERROR(VisitBlocks(chunk, first, bytes, [&](uint32_t block, auto here, auto& row) {
    const uint32_t bit = block % kBlocksPerRow;
    if (!row.Has(bit)) return;
    ++check.present_blocks;
    if (Crc32c(here) == row.crcs[bit] || parts.doubts.IsSuspect(chunk.id(), block)) return;
    check.bad_blocks.push_back(block);
    if (settle) ReportDamage(parts, chunk.id(), block);
  }));
  return check;
}

Result<std::optional<ChunkInfo>> InfoOf(const IndexView& view, ChunkId id) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, view.Chunk(id));
  if (!row) return std::optional<ChunkInfo>();
  ChunkInfo info{.id = id,
                 .version = row->version,
                 .generation = row->stamp,
                 .digest = row->digest,
                 .last_session = row->last_session,
                 .last_sequence = row->last_sequence,
                 .sealed = row->sealed,
                 .chunk_size = row->chunk_size,
                 .present_blocks = row->present_blocks};
  if (!row->sealed) {
    ASSIGN_OR_RETURN(info.digest, view.Digest(id));
  }
  return std::optional<ChunkInfo>(info);
}

Result<std::optional<ChunkBlocks>> BlocksOf(StoreParts& parts, Chunk& chunk) {
  const IndexView view = parts.index->View();
  ASSIGN_OR_RETURN(std::optional<ChunkInfo> info, InfoOf(view, chunk.id()));
  if (!info) return std::optional<ChunkBlocks>();
  ChunkBlocks blocks;
  blocks.info = *info;
  RETURN_IF_ERROR(view.VisitCrcs(chunk.id(), 0, [&](uint32_t row_number, const CrcRow& row) {
    for (uint32_t bit = 0; bit < kBlocksPerRow; ++bit) {
      if (!row.Has(bit)) continue;
      const size_t block = size_t{row_number} * kBlocksPerRow + bit;
      blocks.crcs.resize(block + 1);
      blocks.present.resize(block + 1);
      blocks.crcs[block] = row.crcs[bit];
      blocks.present[block] = true;
    }
    return OkStatus();
  }));
  blocks.suspect.resize(blocks.crcs.size());
  for (uint32_t block : parts.doubts.Suspects(chunk.id())) {
    if (block < blocks.suspect.size()) blocks.suspect[block] = true;
  }
  return std::optional<ChunkBlocks>(std::move(blocks));
}

}  // namespace cairn

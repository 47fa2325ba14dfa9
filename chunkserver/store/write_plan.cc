#include "chunkserver/store/write_plan.h"

#include <algorithm>
#include <cstring>

#include "common/crc32c.h"

namespace cairn {

Status VisitPieces(uint64_t offset, std::span<const std::byte> data, const PieceVisitor& visit) {
  for (size_t index = 0; !data.empty(); ++index) {
    const size_t room = kBlockSize - offset % kBlockSize;
    const size_t size = std::min<size_t>(room, data.size());
    RETURN_IF_ERROR(visit(index, offset, data.first(size)));
    offset += size;
    data = data.subspan(size);
  }
  return OkStatus();
}

size_t CountPieces(uint64_t offset, size_t size_bytes) {
  if (size_bytes == 0) return 0;
  return (offset % kBlockSize + size_bytes + kBlockSize - 1) / kBlockSize;
}

Status WritePlan::Build(uint64_t offset, std::span<const std::byte> data,
                        std::span<const uint32_t> crcs) {
  ASSIGN_OR_RETURN(file_size_, chunk_.FileSize());
  return VisitPieces(offset, data,
                     [&](size_t index, uint64_t at, std::span<const std::byte> bytes) {
                       return AddPiece(at, bytes, crcs[index]);
                     });
}

Status WritePlan::AddPiece(uint64_t offset, std::span<const std::byte> bytes, uint32_t crc) {
  const auto block = static_cast<uint32_t>(offset / kBlockSize);
  ASSIGN_OR_RETURN(std::optional<uint32_t> old_crc, edits_.OldCrc(block));
  if (bytes.size() < kBlockSize) return AddPartialBlock(offset, bytes, old_crc);
  AddExtent(offset, bytes, old_crc.has_value());
  return edits_.Set(block, crc);
}

Status WritePlan::AddPartialBlock(uint64_t offset, std::span<const std::byte> bytes,
                                  std::optional<uint32_t> old_crc) {
  const auto block = static_cast<uint32_t>(offset / kBlockSize);
  const uint64_t start = uint64_t{block} * kBlockSize;
  std::array<std::byte, kBlockSize>& merged = merged_[merged_used_++];
  if (old_crc) {
    RETURN_IF_ERROR(ReadForMerge(parts_, chunk_, block, *old_crc, merged, adopted_));
  } else {
    merged.fill(std::byte{0});
  }
  std::memcpy(merged.data() + (offset - start), bytes.data(), bytes.size());
  // Under a block that was never written may lie bytes of a write that a crash or a full disk cut
  // short, so it is written whole; beyond the end of the file there is nothing.
  const bool piece_is_enough = old_crc.has_value() || start >= file_size_;
  if (piece_is_enough) {
    AddExtent(offset, bytes, old_crc.has_value());
  } else {
    AddExtent(start, merged, /*in_place=*/false);
  }
  return edits_.Set(block, Crc32c(merged));
}

void WritePlan::AddExtent(uint64_t offset, std::span<const std::byte> data, bool in_place) {
  if (!extents_.empty()) {
    Extent& last = extents_.back();
    if (last.in_place == in_place && last.offset + last.data.size() == offset &&
        last.data.data() + last.data.size() == data.data()) {
      last.data = {last.data.data(), last.data.size() + data.size()};
      return;
    }
  }
  extents_.push_back({offset, data, in_place});
}

}  // namespace cairn

// What one write does to blocks and file: the new CRC of each block, and the bytes that go to the
// data file, untouched from the caller's buffer wherever possible.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "chunkserver/store/chunk_change.h"

namespace cairn {

// Calls `visit` with each piece of a range: the range cut at multiples of kBlockSize.
using PieceVisitor =
    std::function<Status(size_t piece_index, uint64_t offset, std::span<const std::byte> bytes)>;
Status VisitPieces(uint64_t offset, std::span<const std::byte> data, const PieceVisitor& visit);
size_t CountPieces(uint64_t offset, size_t size_bytes);

// Confined to one thread. REQUIRES: the chunk's lock is held exclusively.
class WritePlan {
 public:
  WritePlan(StoreParts& parts, Chunk& chunk) : parts_(parts), chunk_(chunk), edits_(chunk) {}

  // `crcs`: one per piece, already verified. Nothing on disk changes.
  Status Build(uint64_t offset, std::span<const std::byte> data, std::span<const uint32_t> crcs);

  const std::vector<Extent>& extents() const { return extents_; }
  BlockEdits& edits() { return edits_; }
  // Suspect blocks that a partial write takes as they are.
  uint32_t adopted() const { return adopted_; }

 private:
  Status AddPiece(uint64_t offset, std::span<const std::byte> bytes, uint32_t crc);
  Status AddPartialBlock(uint64_t offset, std::span<const std::byte> bytes,
                         std::optional<uint32_t> old_crc);
  void AddExtent(uint64_t offset, std::span<const std::byte> data, bool in_place);

  StoreParts& parts_;
  Chunk& chunk_;
  BlockEdits edits_;
  std::vector<Extent> extents_;
  uint64_t file_size_ = 0;
  uint32_t adopted_ = 0;
  // Only the first and the last block of a write can be partial.
  std::array<std::array<std::byte, kBlockSize>, 2> merged_;
  size_t merged_used_ = 0;
};

}  // namespace cairn

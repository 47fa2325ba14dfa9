// What one chunk may be after a power cut: every state it was in since the last that is surely on
// disk. Blocks are whole; a state is of one moment, row and blocks together.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chunkserver/store/chunk_store.h"

namespace cairn::crash {

inline constexpr uint32_t kSpanBlocks = 80;  // of each chunk, more than one CRC row

// The bytes of one block; null where it was never written, empty where it is suspect.
using Block = std::shared_ptr<const std::string>;
using Blocks = std::array<Block, kSpanBlocks>;

// The part of a chunk's row that callers go by.
struct RowTruth {
  ChunkVersion version;
  uint64_t stamp = 0;
  SessionId session;
  uint64_t sequence = 0;
  friend bool operator==(const RowTruth&, const RowTruth&) = default;
};

struct ChunkState {
  std::optional<RowTruth> row;  // none: the chunk is absent
  Blocks blocks;
};

// A chunk as a store shows it.
struct FoundChunk {
  std::optional<ChunkInfo> info;
  Blocks blocks;
  std::array<bool, kSpanBlocks> suspect{};
  std::string broken;  // what no chunk may show; empty if nothing
};

// Thread-compatible.
class ChunkTruth {
 public:
  const ChunkState& now() const { return states_.back(); }

  // A change begins that leads to `next`; the bytes of `blocks` may be anything on the way. What is
  // said before a call is true also if the power goes during it.
  void Change(ChunkState next);
  void Touch(uint32_t block);
  // These bytes may lie there for a moment, though no state has them.
  void Pass(uint32_t block, const Block& bytes);
  void TouchAll();
  // What it is now is on disk.
  void Settle();
  // It was found as `found`: that is on disk, and nothing else comes back.
  void BeginAgain(const FoundChunk& found);
  // Empty when `found` may be after a power cut; else what is wrong.
  std::string WhyNot(const FoundChunk& found) const;
  // The same after anything but a power cut: it must be as it is now.
  std::string WhyNotNow(const FoundChunk& found) const;
  // `bytes` of a suspect block as they lie in the file: each sector must be of a state it was in.
  std::string WhyNotSectors(const FoundChunk& found, uint32_t block,
                            const std::string& bytes) const;

 private:
  std::string Mismatch(const ChunkState& state, const FoundChunk& found) const;
  size_t OldestSource(uint32_t block, const std::optional<ChunkInfo>& info) const;
  bool MayHold(uint32_t block, size_t oldest, size_t at, std::string_view sector) const;

  std::vector<ChunkState> states_{ChunkState()};
  std::array<bool, kSpanBlocks> touched_{};             // bytes have changed since the last sync
  std::array<std::vector<Block>, kSpanBlocks> passed_;  // since the last sync; see Pass
};

std::optional<RowTruth> RowOf(const std::optional<ChunkInfo>& info);

}  // namespace cairn::crash

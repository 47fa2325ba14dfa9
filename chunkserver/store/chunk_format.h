// What a chunk store keeps on disk: keys and rows of the index, names of data files. One page:
// docs/formats/chunk_store.md. Everything here is pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "common/status.h"

namespace cairn {

inline constexpr char kChunkStoreFormat = 2;
inline constexpr uint32_t kBlocksPerRow = 64;
inline constexpr uint32_t kMaxBlocksPerChunk = kMaxChunkSize / kBlockSize;
inline constexpr uint32_t kMaxRowsPerChunk = kMaxBlocksPerChunk / kBlocksPerRow;

// One per chunk.
struct ChunkRow {
  PgId group;
  uint32_t chunk_size = kDefaultChunkSize;
  ChunkVersion version;
  uint64_t stamp = 0;  // generation of the file whose cuts have been applied
  SessionId last_session;
  uint64_t last_sequence = 0;
  bool sealed = false;
  uint32_t digest = 0;  // only while sealed
  uint32_t present_blocks = 0;
};

// How far a scrub of the whole store is; kept with the index so that a restart goes on from there.
struct ScrubMark {
  uint64_t order = 0;      // the operator's order of this pass, or of the last
  bool under_way = false;
  bool ordered = false;    // this pass answers the order
  int64_t started_s = 0;   // of this pass, or of the last; wall clock
  int64_t whole_s = 0;     // when the last whole pass began; 0: there was none
  PgId group;              // below it all groups are done
  ChunkId after;           // of `group`, up to here

  friend bool operator==(const ScrubMark&, const ScrubMark&) = default;
};

// CRCs of 64 neighbouring blocks. A row without present blocks is not stored.
struct CrcRow {
  uint64_t present = 0;                        // bit i: block i of the row was written
  std::array<uint32_t, kBlocksPerRow> crcs{};  // 0 where not present

  bool Has(uint32_t bit) const { return (present >> bit & 1) != 0; }
  void Set(uint32_t bit, uint32_t crc);
  void Clear(uint32_t bit);
};

// Index keys. The first letter says what the row is; integers are big-endian, so that rows sort as
// their ids do.
std::string FormatKey();
std::string ScrubMarkKey();
std::string ChunkPrefix();
std::string ChunkKey(ChunkId id);
std::string GroupKey(PgId group, ChunkId id);
std::string GroupPrefix(PgId group);
std::string UnsealedKey(ChunkId id);
std::string UnsealedPrefix();
std::string CrcKey(ChunkId id, uint32_t row);
std::string CrcPrefix(ChunkId id);
// The id at the end of a group or unsealed key.
Result<ChunkId> ChunkIdOfKey(std::string_view key);
Result<uint32_t> RowOfCrcKey(std::string_view key);

// Values end in a CRC32C over key and value, so that a row under a wrong key is found too.
std::string EncodeChunkRow(std::string_view key, const ChunkRow& row);
Result<ChunkRow> DecodeChunkRow(std::string_view key, std::string_view value);
std::string EncodeCrcRow(std::string_view key, const CrcRow& row);
Result<CrcRow> DecodeCrcRow(std::string_view key, std::string_view value);

std::string EncodeScrubMark(std::string_view key, const ScrubMark& mark);
Result<ScrubMark> DecodeScrubMark(std::string_view key, std::string_view value);

// Continues a chunk's digest with one row; rows without present blocks leave it as it is, so that
// members that dropped blocks and members that never had them agree.
uint32_t ExtendDigest(uint32_t digest, uint32_t row_number, const CrcRow& row);

// Data files: chunks/<xx>/<inode>-<index>, in 256 folders by hash.
inline constexpr uint32_t kChunkFolders = 256;
std::string ChunkFolder(uint32_t folder);  // "chunks/0a"
uint32_t ChunkFolderNumber(ChunkId id);
std::string ChunkFolder(ChunkId id);
std::string ChunkFileName(ChunkId id);  // "00000000000003e9-00000000"
std::optional<ChunkId> ParseChunkFileName(std::string_view name);

// Data files of chunks that were set aside (rule C11): aside/<inode>-<index>-<seconds>
inline constexpr char kAsideFolder[] = "aside";
struct AsideFile {
  ChunkId id;
  int64_t seconds = 0;  // wall clock, when it was set aside; not negative
};
std::string AsideFileName(const AsideFile& file);  // "00000000000003e9-00000000-1790000000"
std::optional<AsideFile> ParseAsideFileName(std::string_view name);

}  // namespace cairn

// The bytes of a snapshot, as a leader sends it and as it lies on disk (docs/formats/snapshot.md).
// All integers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "raft/core/message.h"

namespace cairn::snapshot_format {

inline constexpr uint64_t kMagic = 0x31504e534e524143u;  // "CARNSNP1"
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kHeadBytes = 36;           // without the membership
inline constexpr size_t kBlockHeaderBytes = 8;
inline constexpr size_t kRowHeaderBytes = 8;
inline constexpr size_t kEndBytes = 16;
inline constexpr size_t kFullBlockBytes = 64u << 10;  // a block ends with the row that reaches it
inline constexpr size_t kMaxMembershipBytes = 64u << 10;
inline constexpr size_t kMaxRowBytes = 16u << 20;     // key and value
inline constexpr size_t kMaxBlockBytes = kFullBlockBytes + kRowHeaderBytes + kMaxRowBytes;

// Each checksum begins with the one before it, so that the last one vouches for every byte and for
// their order.
struct Chain {
  uint32_t crc = 0;
};

// The first bytes of a snapshot. REQUIRES: the encoded membership has at most kMaxMembershipBytes.
std::string EncodeHead(const raft::SnapshotPoint& point, Chain& chain);
// REQUIRES: key and value have at most kMaxRowBytes together.
void AppendRow(std::string_view key, std::string_view value, std::string& rows);
// REQUIRES: 0 < rows.size() <= kMaxBlockBytes
void AppendBlock(std::string_view rows, Chain& chain, std::string& out);
void AppendEnd(uint64_t row_count, Chain& chain, std::string& out);

// The decoders take what `bytes` begin with and say how many of them that was; 0: more bytes are
// needed. kCorruption: no further bytes can make it right.
using OnRow = std::function<void(std::string_view key, std::string_view value)>;
// kNotSupported: another version, which is named.
Result<size_t> DecodeHead(std::string_view bytes, raft::SnapshotPoint& point, Chain& chain);
struct BlockCount {
  uint64_t rows = 0;   // so far
  bool ended = false;
};
// A block, or the end. `on_row` gets each row once the whole block is known to be good.
Result<size_t> DecodeBlock(std::string_view bytes, const OnRow& on_row, Chain& chain,
                           BlockCount& count);

}  // namespace cairn::snapshot_format

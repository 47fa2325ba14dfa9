// Between the messages of cairn.v1.Chunk and the store's values.
#pragma once

#include <string>
#include <vector>

#include "cairn/v1/chunk.pb.h"
#include "chunkserver/store/chunk_store.h"
#include "common/ids.h"

namespace cairn {

inline ChunkId IdOf(const v1::ChunkAddress& address) {
  return {InodeId(address.inode()), address.index()};
}
FileState FileOf(const v1::ChunkAddress& address);
v1::ChunkAddress AddressOf(const FileState& file);  // what it says of the file

v1::ChunkSummary SummaryOf(const ChunkInfo& info);
ChunkInfo InfoOf(const v1::ChunkSummary& summary);

// A bit per block, little-endian.
std::string PackBits(const std::vector<bool>& bits);
std::vector<bool> UnpackBits(const std::string& bytes, size_t count);

// The bytes of `data` at chunk offset `offset` match `crcs`, one per piece cut at block boundaries.
bool CrcsMatch(uint32_t offset, std::span<const std::byte> data, std::span<const uint32_t> crcs);

template <typename Repeated>
std::vector<uint32_t> ToVector(const Repeated& values) {
  return std::vector<uint32_t>(values.begin(), values.end());
}

}  // namespace cairn

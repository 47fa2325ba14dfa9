#include "chunkserver/replication/wire.h"

#include <algorithm>

#include "common/crc32c.h"

namespace cairn {

FileState FileOf(const v1::ChunkAddress& address) {
  FileState file;
  file.chunk_size = address.chunk_size();
  file.generation = address.generation();
  file.cuts.reserve(static_cast<size_t>(address.cuts_size()));
  for (const v1::Cut& cut : address.cuts()) file.cuts.push_back({cut.generation(), cut.length()});
  return file;
}

v1::ChunkAddress AddressOf(const FileState& file) {
  v1::ChunkAddress address;
  address.set_chunk_size(file.chunk_size);
  address.set_generation(file.generation);
  for (const FileCut& cut : file.cuts) {
    v1::Cut& added = *address.add_cuts();
    added.set_generation(cut.generation);
    added.set_length(cut.length);
  }
  return address;
}

v1::ChunkSummary SummaryOf(const ChunkInfo& info) {
  v1::ChunkSummary summary;
  summary.set_inode(info.id.inode.value);
  summary.set_index(info.id.index);
  summary.set_version_epoch(info.version.epoch.value);
  summary.set_version_counter(info.version.counter);
  summary.set_generation(info.generation);
  summary.set_digest(info.digest);
  summary.set_last_session(info.last_session.value);
  summary.set_last_sequence(info.last_sequence);
  summary.set_chunk_size(info.chunk_size);
  return summary;
}

ChunkInfo InfoOf(const v1::ChunkSummary& summary) {
  ChunkInfo info;
  info.id = {InodeId(summary.inode()), summary.index()};
  info.version = {Epoch(summary.version_epoch()), summary.version_counter()};
  info.generation = summary.generation();
  info.digest = summary.digest();
  info.last_session = SessionId(summary.last_session());
  info.last_sequence = summary.last_sequence();
  info.chunk_size = summary.chunk_size();
  return info;
}

std::string PackBits(const std::vector<bool>& bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (1 << (i % 8)));
  }
  return bytes;
}

std::vector<bool> UnpackBits(const std::string& bytes, size_t count) {
  std::vector<bool> bits(count);
  for (size_t i = 0; i < std::min(count, bytes.size() * 8); ++i) {
    bits[i] = (static_cast<unsigned char>(bytes[i / 8]) >> (i % 8) & 1) != 0;
  }
  return bits;
}

bool CrcsMatch(uint32_t offset, std::span<const std::byte> data, std::span<const uint32_t> crcs) {
  size_t piece = 0;
  size_t at = 0;
  while (at < data.size()) {
    const size_t room = kBlockSize - (offset + at) % kBlockSize;
    const size_t length = std::min(room, data.size() - at);
    if (piece == crcs.size() || Crc32c(data.subspan(at, length)) != crcs[piece]) return false;
    at += length;
    ++piece;
  }
  return piece == crcs.size();
}

}  // namespace cairn

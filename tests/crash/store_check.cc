#include "tests/crash/store_check.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "chunkserver/store/chunk_format.h"
#include "common/crc32c.h"

namespace cairn::crash {
namespace {

Block BlockOf(const ChunkRead& read) {
  const std::span<const std::byte> bytes = read.data.bytes();
  return std::make_shared<const std::string>(reinterpret_cast<const char*>(bytes.data()),
                                             bytes.size());
}

uint32_t DigestOf(const ChunkBlocks& blocks) {
  uint32_t digest = 0;
  for (uint32_t row_number = 0; row_number * kBlocksPerRow < blocks.crcs.size(); ++row_number) {
    CrcRow row;
    for (uint32_t bit = 0; bit < kBlocksPerRow; ++bit) {
      const size_t block = size_t{row_number} * kBlocksPerRow + bit;
      if (block < blocks.crcs.size() && blocks.present[block]) row.Set(bit, blocks.crcs[block]);
    }
    digest = ExtendDigest(digest, row_number, row);
  }
  return digest;
}

std::string CheckSums(const ChunkBlocks& blocks) {
  const auto present = std::count(blocks.present.begin(), blocks.present.end(), true);
  if (blocks.info.present_blocks != static_cast<uint64_t>(present)) {
    return fmt::format("{} blocks are present, the row says {}", present,
                       blocks.info.present_blocks);
  }
  if (blocks.crcs.size() > kSpanBlocks) return "a block beyond all that was written";
  if (blocks.info.digest != DigestOf(blocks)) return "the digest is not that of the blocks";
  return {};
}

// Fills in one block that the rows call present.
void FindBlock(ChunkStore& store, ChunkId id, uint32_t block, FoundChunk& found) {
  const Result<ChunkRead> read = store.FetchBlocks(id, block, 1);
  if (found.suspect[block]) {
    found.blocks[block] = std::make_shared<const std::string>();
    if (!read.has_value() && read.error().code() == ErrorCode::kCorruption) return;
    found.broken = fmt::format("C8: suspect block {} is served", block);
  } else if (read.has_value()) {
    found.blocks[block] = BlockOf(*read);
  } else {
    found.broken = fmt::format("{}: block {} does not read: {}",
                               found.info->sealed ? "C5" : "fsync", block,
                               read.error().ToString());
  }
}

std::string CheckGroup(ChunkStore& store, PgId group, const std::map<ChunkId, Placed>& chunks) {
  std::vector<ChunkId> here, unsealed, suspects;
  uint64_t present = 0;
  for (const auto& [id, placed] : chunks) {
    if (placed.group != group || !placed.found.info) continue;
    const FoundChunk& found = placed.found;
    here.push_back(id);
    if (!found.info->sealed) unsealed.push_back(id);
    if (std::count(found.suspect.begin(), found.suspect.end(), true) > 0) suspects.push_back(id);
    present += found.info->present_blocks;
  }
  auto ids_of = [](const Result<std::vector<ChunkInfo>>& infos) {
    std::vector<ChunkId> ids;
    if (!infos.has_value()) return ids;
    for (const ChunkInfo& info : *infos) ids.push_back(info.id);
    return ids;
  };
  const size_t all = chunks.size() + 1;
  if (ids_of(store.List(group, std::nullopt, all)) != here) return "the group's list is wrong";
  if (ids_of(store.ListUnsealed(group, std::nullopt, all)) != unsealed) {
    return "the list of unsealed chunks is wrong";
  }
  if (store.Suspects(group) != suspects) return "the list of suspects is wrong";
  const GroupUsage usage = store.Usage(group);
  if (usage.chunks == here.size() && usage.blocks == present) return {};
  return fmt::format("usage says {} chunks with {} blocks, there are {} with {}", usage.chunks,
                     usage.blocks, here.size(), present);
}

}  // namespace

FoundChunk FindChunk(ChunkStore& store, ChunkId id) {
  FoundChunk found;
  Result<std::optional<ChunkBlocks>> blocks = store.Blocks(id);
  if (!blocks.has_value()) {
    found.broken = "the rows do not read: " + blocks.error().ToString();
    return found;
  }
  if (!*blocks) return found;
  found.info = (*blocks)->info;
  found.broken = CheckSums(**blocks);
  const auto count = static_cast<uint32_t>(std::min<size_t>(kSpanBlocks, (*blocks)->crcs.size()));
  for (uint32_t block = 0; block < count && found.broken.empty(); ++block) {
    if (!(*blocks)->present[block]) continue;
    found.suspect[block] = (*blocks)->suspect[block];
    FindBlock(store, id, block, found);
  }
  return found;
}

std::string RawBlock(StoreMachine& machine, ChunkId id, uint32_t block) {
  std::string bytes(kBlockSize, '\0');
  auto file = machine.disk().medium().Open(machine.PathOf(id), OpenMode::kRead);
  if (!file.has_value()) return {};
  const Result<size_t> read = (*file)->Read(
      uint64_t{block} * kBlockSize, std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
  bytes.resize(read.value_or(0));
  return bytes;
}

std::string WhatIsWrong(StoreMachine& machine, const std::map<ChunkId, Placed>& chunks) {
  std::map<PgId, std::string> groups;
  for (const auto& [id, placed] : chunks) {
    groups[placed.group];
    if (!placed.found.info && machine.disk().medium().Exists(machine.PathOf(id))) {
      return fmt::format("chunk {} has a file and no row", id);
    }
  }
  for (const auto& [group, nothing] : groups) {
    std::string wrong = CheckGroup(machine.store(), group, chunks);
    if (!wrong.empty()) return fmt::format("group {}: {}", group.value, wrong);
  }
  const uint64_t errors = machine.store().Counters().checksum_errors;
  return errors == 0 ? std::string() : fmt::format("C5: {} blocks counted as damage", errors);
}

}  // namespace cairn::crash

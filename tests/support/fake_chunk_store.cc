#include "tests/support/fake_chunk_store.h"

#include <algorithm>
#include <cstring>

#include "common/crc32c.h"

namespace cairn {
namespace {
uint32_t CrcOf(const std::string& bytes) {
  return Crc32c(bytes.data(), bytes.size());
}
}  // namespace

bool FakeChunkStore::Block::Matches() const {
  return !suspect && CrcOf(bytes) == crc;
}

void FakeChunkStore::Corrupt(ChunkId id, uint32_t block) {
  absl::MutexLock lock(&mu_);
  char& byte = chunks_.at(id).blocks.at(block).bytes[7];
  byte = static_cast<char>(byte ^ 0x55);
}

void FakeChunkStore::Diverge(ChunkId id, uint32_t block, char content) {
  absl::MutexLock lock(&mu_);
  Chunk& chunk = chunks_.at(id);
  const std::string bytes(kBlockSize, content);
  chunk.blocks.at(block) = {bytes, CrcOf(bytes), false};
  UpdateDigest(chunk);
}

void FakeChunkStore::MakeSuspect(ChunkId id, uint32_t block, char content) {
  absl::MutexLock lock(&mu_);
  Block& damaged = chunks_.at(id).blocks.at(block);
  damaged.bytes.assign(kBlockSize, content);
  damaged.suspect = true;
}

void FakeChunkStore::FailWrites(Status status) {
  absl::MutexLock lock(&mu_);
  write_failure_ = std::move(status);
}

void FakeChunkStore::SetAvailable(uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  available_ = bytes;
}

bool FakeChunkStore::Has(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  return chunks_.contains(id);
}

std::string FakeChunkStore::Bytes(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  std::string bytes;
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return bytes;
  for (const auto& [number, block] : found->second.blocks) {
    bytes.resize(size_t{number} * kBlockSize);
    bytes += block.bytes;
  }
  return bytes;
}

bool FakeChunkStore::IsDurable(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  return found != chunks_.end() && found->second.durable;
}

void FakeChunkStore::SealAll() {
  absl::MutexLock lock(&mu_);
  for (auto& [id, chunk] : chunks_) chunk.info.sealed = true;
}

int FakeChunkStore::list_count() const {
  absl::MutexLock lock(&mu_);
  return lists_;
}

int FakeChunkStore::write_count() const {
  absl::MutexLock lock(&mu_);
  return writes_;
}

void FakeChunkStore::Cut(Chunk& chunk, const FileState& file) {
  const uint64_t start = uint64_t{chunk.info.id.index} * file.chunk_size;
  for (const FileCut& cut : file.cuts) {
    if (cut.generation <= chunk.info.generation) continue;
    const uint64_t keep = cut.length > start ? cut.length - start : 0;
    std::erase_if(chunk.blocks,
                  [&](const auto& entry) { return uint64_t{entry.first} * kBlockSize >= keep; });
    if (keep % kBlockSize == 0 || chunk.blocks.empty()) continue;
    const auto edge = chunk.blocks.find(static_cast<uint32_t>(keep / kBlockSize));
    if (edge == chunk.blocks.end()) continue;
    std::fill(edge->second.bytes.begin() + static_cast<long>(keep % kBlockSize),
              edge->second.bytes.end(), '\0');
    edge->second.crc = CrcOf(edge->second.bytes);
  }
  chunk.info.generation = std::max(chunk.info.generation, file.generation);
  UpdateDigest(chunk);
}

void FakeChunkStore::UpdateDigest(Chunk& chunk) {
  uint32_t digest = 0;
  for (const auto& [number, block] : chunk.blocks) {
    digest = Crc32c(&number, sizeof(number), digest);
    digest = Crc32c(&block.crc, sizeof(block.crc), digest);
  }
  chunk.info.digest = digest;
  chunk.durable = false;
}

Status FakeChunkStore::Write(const ChunkWrite& write) {
  if (on_write_) on_write_(write);
  absl::MutexLock lock(&mu_);
  RETURN_IF_ERROR(write_failure_);
  const auto found = chunks_.find(write.id);
  if (found != chunks_.end() && found->second.info.generation > write.file.generation) {
    return Status::Error(ErrorCode::kStaleGeneration, "chunk {} was cut", write.id);
  }
  Chunk changed = found == chunks_.end() ? Chunk{} : found->second;
  changed.info.id = write.id;
  changed.info.chunk_size = write.file.chunk_size;
  changed.group = write.group;
  Cut(changed, write.file);
  size_t at = 0;
  for (size_t piece = 0; at < write.data.size(); ++piece) {
    const uint32_t offset = write.offset + static_cast<uint32_t>(at);
    const size_t length =
        std::min<size_t>(kBlockSize - offset % kBlockSize, write.data.size() - at);
    const auto bytes = write.data.subspan(at, length);
    if (piece >= write.crcs.size() || Crc32c(bytes) != write.crcs[piece]) {
      return Status::Error(ErrorCode::kCorruption, "piece {} does not match", piece);
    }
    auto [entry, fresh] = changed.blocks.try_emplace(offset / kBlockSize);
    Block& block = entry->second;
    if (fresh) block.bytes.assign(kBlockSize, '\0');
    if (!fresh && length < kBlockSize && !block.suspect && CrcOf(block.bytes) != block.crc) {
      ++counters_.checksum_errors;
      return Status::Error(ErrorCode::kCorruption, "block {} is damaged", offset / kBlockSize);
    }
    std::memcpy(block.bytes.data() + offset % kBlockSize, bytes.data(), length);
    block.crc = CrcOf(block.bytes);
    block.suspect = false;
    at += length;
  }
  changed.info.version = write.version;
  changed.info.sealed = false;
  changed.info.last_session = write.session;
  changed.info.last_sequence = write.sequence;
  UpdateDigest(changed);
  chunks_[write.id] = std::move(changed);
  ++writes_;
  return OkStatus();
}

Result<ChunkRead> FakeChunkStore::ReadBlocks(Chunk& chunk, uint32_t first, uint32_t count) {
  ChunkRead read;
  read.data = Payload::Allocate(size_t{count} * kBlockSize);
  std::memset(read.data.writable().data(), 0, read.data.size());
  for (uint32_t number = first; number < first + count; ++number) {
    const auto found = chunk.blocks.find(number);
    std::byte* to = read.data.writable().data() + size_t{number - first} * kBlockSize;
    if (found != chunk.blocks.end()) {
      if (!found->second.Matches()) {
        if (!found->second.suspect) ++counters_.checksum_errors;
        return Fail(ErrorCode::kCorruption, "block {} does not match", number);
      }
      std::memcpy(to, found->second.bytes.data(), kBlockSize);
    }
    read.crcs.push_back(Crc32c(to, kBlockSize));
  }
  return read;
}

Result<ChunkRead> FakeChunkStore::Read(ChunkId id, const FileState& file, uint32_t offset,
                                       uint32_t length) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) {
    ChunkRead absent;
    absent.absent = true;
    return absent;
  }
  if (found->second.info.generation > file.generation) {
    return Fail(ErrorCode::kStaleGeneration, "chunk {} was cut", id);
  }
  if (found->second.info.generation < file.generation) Cut(found->second, file);
  return ReadBlocks(found->second, offset / kBlockSize, length / kBlockSize);
}

Result<BlockCheck> FakeChunkStore::Check(ChunkId id, uint32_t first_block, uint32_t count) {
  absl::MutexLock lock(&mu_);
  BlockCheck check;
  if (!chunks_.contains(id)) return check;
  for (const auto& [number, block] : chunks_.at(id).blocks) {
    if (number < first_block || number >= first_block + count) continue;
    ++check.present_blocks;
    if (block.suspect || block.Matches()) continue;
    ++counters_.checksum_errors;
    check.bad_blocks.push_back(number);
  }
  return check;
}

Status FakeChunkStore::StoreScrubMark(const ScrubMark& mark) {
  absl::MutexLock lock(&mu_);
  scrub_mark_ = mark;
  return OkStatus();
}

Result<ScrubMark> FakeChunkStore::LoadScrubMark() {
  absl::MutexLock lock(&mu_);
  return scrub_mark_;
}

Status FakeChunkStore::Sync(std::span<const ChunkId> ids) {
  absl::MutexLock lock(&mu_);
  for (const ChunkId id : ids) {
    if (const auto found = chunks_.find(id); found != chunks_.end()) found->second.durable = true;
  }
  return OkStatus();
}

Status FakeChunkStore::SyncAll() {
  absl::MutexLock lock(&mu_);
  for (auto& [id, chunk] : chunks_) chunk.durable = true;
  return OkStatus();
}

Status FakeChunkStore::Remove(ChunkId id, const FileState& file, bool whole) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end() || found->second.info.generation > file.generation) return OkStatus();
  if (whole) {
    chunks_.erase(found);
  } else {
    Cut(found->second, file);
    if (found->second.blocks.empty()) chunks_.erase(found);
  }
  return OkStatus();
}

Status FakeChunkStore::Drop(ChunkId id) {
  if (on_drop_) on_drop_(id);
  absl::MutexLock lock(&mu_);
  chunks_.erase(id);
  return OkStatus();
}

Result<bool> FakeChunkStore::SetAside(ChunkId id, PgId group) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end() || found->second.group != group) return false;
  if (!found->second.info.sealed) return Fail(ErrorCode::kBusy, "chunk {} is not sealed", id);
  chunks_.erase(found);
  return true;
}

Result<std::vector<StoredChunk>> FakeChunkStore::ListStored(std::optional<ChunkId> after,
                                                            size_t limit) {
  absl::MutexLock lock(&mu_);
  std::vector<StoredChunk> stored;
  for (const auto& [id, chunk] : chunks_) {
    if ((after.has_value() && id <= *after) || stored.size() == limit) continue;
    stored.push_back({id, chunk.group, uint64_t{chunk.blocks.size()} * kBlockSize});
  }
  return stored;
}

Result<std::optional<ChunkInfo>> FakeChunkStore::Info(ChunkId id) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return std::optional<ChunkInfo>();
  return std::optional<ChunkInfo>(found->second.info);
}

Result<std::vector<ChunkInfo>> FakeChunkStore::List(PgId group, std::optional<ChunkId> after,
                                                    size_t limit) {
  absl::MutexLock lock(&mu_);
  ++lists_;
  return ListLocked(group, after, limit, false);
}

Result<std::vector<ChunkInfo>> FakeChunkStore::ListUnsealed(PgId group,
                                                            std::optional<ChunkId> after,
                                                            size_t limit) {
  absl::MutexLock lock(&mu_);
  return ListLocked(group, after, limit, true);
}

std::vector<ChunkInfo> FakeChunkStore::ListLocked(PgId group, std::optional<ChunkId> after,
                                                  size_t limit, bool unsealed_only) const {
  std::vector<ChunkInfo> infos;
  for (const auto& [id, chunk] : chunks_) {
    if (chunk.group != group || (after.has_value() && id <= *after)) continue;
    if (unsealed_only && chunk.info.sealed) continue;
    if (infos.size() == limit) break;
    infos.push_back(chunk.info);
  }
  return infos;
}

Result<std::optional<ChunkBlocks>> FakeChunkStore::Blocks(ChunkId id) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return std::optional<ChunkBlocks>();
  ChunkBlocks blocks;
  blocks.info = found->second.info;
  for (const auto& [number, block] : found->second.blocks) {
    blocks.crcs.resize(number + 1);
    blocks.present.resize(number + 1);
    blocks.suspect.resize(number + 1);
    blocks.crcs[number] = block.crc;
    blocks.present[number] = true;
    blocks.suspect[number] = block.suspect;
  }
  return std::optional<ChunkBlocks>(blocks);
}

Result<ChunkRead> FakeChunkStore::FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return Fail(ErrorCode::kChunkMissing, "no chunk {}", id);
  return ReadBlocks(found->second, first_block, count);
}

Status FakeChunkStore::InstallBlocks(const BlockInstall& install) {
  if (on_install_) on_install_();
  absl::MutexLock lock(&mu_);
  Chunk& chunk = chunks_[install.info.id];
  chunk.info = install.info;
  chunk.info.sealed = false;
  chunk.info.chunk_size = install.chunk_size;
  chunk.group = install.group;
  for (size_t i = 0; i < install.data.size() / kBlockSize; ++i) {
    Block& block = chunk.blocks[install.first_block + static_cast<uint32_t>(i)];
    block.bytes.assign(reinterpret_cast<const char*>(install.data.data()) + i * kBlockSize,
                       kBlockSize);
    block.crc = install.crcs[i];
    block.suspect = false;
  }
  for (const uint32_t absent : install.absent_blocks) chunk.blocks.erase(absent);
  UpdateDigest(chunk);
  return OkStatus();
}

std::vector<ChunkId> FakeChunkStore::Suspects(PgId group) {
  absl::MutexLock lock(&mu_);
  std::vector<ChunkId> ids;
  for (const auto& [id, chunk] : chunks_) {
    const bool suspect = std::any_of(chunk.blocks.begin(), chunk.blocks.end(),
                                     [](const auto& entry) { return entry.second.suspect; });
    if (chunk.group == group && suspect) ids.push_back(id);
  }
  return ids;
}

Status FakeChunkStore::Adopt(ChunkId id) {
  absl::MutexLock lock(&mu_);
  Chunk& chunk = chunks_.at(id);
  for (auto& [number, block] : chunk.blocks) {
    if (!block.suspect) continue;
    block.crc = CrcOf(block.bytes);
    block.suspect = false;
    ++counters_.adopted_blocks;
    chunk.info.last_session = SessionId();
    chunk.info.last_sequence = 0;
  }
  UpdateDigest(chunk);
  return OkStatus();
}

Result<DiskSpace> FakeChunkStore::Space() {
  absl::MutexLock lock(&mu_);
  return DiskSpace{uint64_t{1} << 40, available_};
}

ChunkStoreCounters FakeChunkStore::Counters() {
  absl::MutexLock lock(&mu_);
  return counters_;
}

GroupUsage FakeChunkStore::Usage(PgId group) {
  absl::MutexLock lock(&mu_);
  GroupUsages usages;
  for (const auto& [id, chunk] : chunks_) {
    ChunkRow row;
    row.group = chunk.group;
    row.version = chunk.info.version;
    row.present_blocks = static_cast<uint32_t>(chunk.blocks.size());
    usages.Add(id, row);
  }
  return usages.Of(group);
}

}  // namespace cairn

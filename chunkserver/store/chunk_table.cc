#include "chunkserver/store/chunk_table.h"

#include <algorithm>
#include <cstring>

namespace cairn {
namespace {

constexpr size_t kRowsPerChunk = 32;  // about 9 KiB

}  // namespace

Result<std::optional<ChunkRow>> Chunk::Row() {
  absl::MutexLock lock(&loading_);
  if (!loaded_) {
    ASSIGN_OR_RETURN(row_, index_.Chunk(id_));
    loaded_ = true;
  }
  return row_;
}

Result<CrcRow> Chunk::Crcs(uint32_t row_number) {
  absl::MutexLock lock(&loading_);
  auto it = crcs_.find(row_number);
  if (it != crcs_.end()) return it->second;
  if (loaded_ && !row_) return CrcRow();
  ASSIGN_OR_RETURN(CrcRow row, index_.Crcs(id_, row_number));
  if (crcs_.size() >= kRowsPerChunk) crcs_.clear();
  crcs_[row_number] = row;
  return row;
}

Result<std::shared_ptr<File>> Chunk::OpenFile(bool create) {
  absl::MutexLock lock(&loading_);
  if (!file_) {
    ASSIGN_OR_RETURN(file_, files_.Open(id_, create));
  }
  return file_;
}

Result<uint64_t> Chunk::FileSize() {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(/*create=*/false));
  absl::MutexLock lock(&loading_);
  if (!size_ && !file) return 0;
  if (!size_) {
    ASSIGN_OR_RETURN(size_, file->Size());
  }
  return *size_;
}

Status Chunk::ReadBytes(uint64_t offset, std::span<std::byte> out) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(/*create=*/false));
  size_t filled = 0;
  if (file) {
    ASSIGN_OR_RETURN(filled, file->Read(offset, out));
  }
  if (filled < out.size()) std::memset(out.data() + filled, 0, out.size() - filled);
  return OkStatus();
}

Status Chunk::DropCached(uint64_t offset, uint64_t length) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(/*create=*/false));
  if (file) file->DropCached(offset, length);
  return OkStatus();
}

Status Chunk::StartWriteOut(uint64_t offset, uint64_t length) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(/*create=*/false));
  if (file) file->StartWriteOut(offset, length);
  return OkStatus();
}

void Chunk::SetRow(const ChunkRow& row) {
  absl::MutexLock lock(&loading_);
  row_ = row;
  loaded_ = true;
}

void Chunk::SetCrcs(uint32_t row_number, const CrcRow& row) {
  absl::MutexLock lock(&loading_);
  if (crcs_.size() >= kRowsPerChunk && !crcs_.contains(row_number)) crcs_.clear();
  crcs_[row_number] = row;
}

void Chunk::NoteWritten(uint64_t size_bytes) {
  absl::MutexLock lock(&loading_);
  if (size_) size_ = std::max(*size_, size_bytes);
}

void Chunk::ForgetSize() {
  absl::MutexLock lock(&loading_);
  size_.reset();
}

void Chunk::Reset() {
  absl::MutexLock lock(&loading_);
  loaded_ = false;
  row_.reset();
  crcs_.clear();
  file_.reset();
  size_.reset();
}

ChunkTable::ChunkTable(ChunkIndex& index, ChunkFiles& files, size_t capacity)
    : index_(index), files_(files), shard_capacity_(std::max<size_t>(1, capacity / kShards)) {}

std::shared_ptr<Chunk> ChunkTable::Get(ChunkId id) {
  Shard& shard = shards_[absl::Hash<ChunkId>()(id) % kShards];
  absl::MutexLock lock(&shard.mu);
  auto it = shard.chunks.find(id);
  if (it != shard.chunks.end()) {
    shard.by_use.splice(shard.by_use.begin(), shard.by_use, it->second);
    return *it->second;
  }
  auto chunk = std::make_shared<Chunk>(id, index_, files_);
  shard.by_use.push_front(chunk);
  shard.chunks[id] = shard.by_use.begin();
  Trim(shard, shard_capacity_);
  return chunk;
}

void ChunkTable::Trim(Shard& shard, size_t capacity) {
  auto it = shard.by_use.end();
  while (shard.by_use.size() > capacity && it != shard.by_use.begin()) {
    --it;
    // New references are only made under the shard's lock, so a chunk that nobody else holds stays
    // unheld. One in use must stay: a second object would be a second lock for the same chunk.
    if (it->use_count() > 1) continue;
    shard.chunks.erase((*it)->id());
    it = shard.by_use.erase(it);
  }
}

}  // namespace cairn

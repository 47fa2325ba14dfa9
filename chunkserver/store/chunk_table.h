// The chunks in use: each with its lock, its rows, and its open file, so that a write that follows
// another reads neither the index nor the name space. Bounded; the least recently used go first.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/store/chunk_files.h"
#include "chunkserver/store/chunk_format.h"
#include "chunkserver/store/chunk_index.h"

namespace cairn {

// One chunk. `mu` is the chunk's lock: shared to read blocks, exclusive to change anything. The
// functions load what is not at hand.
// REQUIRES of all functions: `mu` held; of those marked *exclusive*: held exclusively.
class Chunk {
 public:
  Chunk(ChunkId id, ChunkIndex& index, ChunkFiles& files) : id_(id), index_(index), files_(files) {}

  ChunkId id() const { return id_; }
  absl::Mutex mu;

  // Nothing when the chunk does not exist.
  Result<std::optional<ChunkRow>> Row();
  Result<CrcRow> Crcs(uint32_t row_number);
  // Null when there is no file; see ChunkFiles::Open.
  Result<std::shared_ptr<File>> OpenFile(bool create);
  // Of the data file, 0 without one.
  Result<uint64_t> FileSize();
  // Fills `out` from the file at `offset`; zeros beyond its end, and without a file.
  Status ReadBytes(uint64_t offset, std::span<std::byte> out);

  // The next read of the range comes from the disk; see File::DropCached.
  Status DropCached(uint64_t offset, uint64_t length);
  // See File::StartWriteOut.
  Status StartWriteOut(uint64_t offset, uint64_t length);

  // *Exclusive.* What was just written to the index.
  void SetRow(const ChunkRow& row);
  void SetCrcs(uint32_t row_number, const CrcRow& row);
  // *Exclusive.* The file has grown to at least `size_bytes`.
  void NoteWritten(uint64_t size_bytes);
  // *Exclusive.* The file's size is not known any more.
  void ForgetSize();
  // *Exclusive.* The chunk was removed, or its state on disk is not known any more.
  void Reset();

 private:
  const ChunkId id_;
  ChunkIndex& index_;
  ChunkFiles& files_;

  absl::Mutex loading_;  // acquired after mu: readers share mu and all fill the caches below
  bool loaded_ ABSL_GUARDED_BY(loading_) = false;
  std::optional<ChunkRow> row_ ABSL_GUARDED_BY(loading_);
  absl::flat_hash_map<uint32_t, CrcRow> crcs_ ABSL_GUARDED_BY(loading_);
  std::shared_ptr<File> file_ ABSL_GUARDED_BY(loading_);
  std::optional<uint64_t> size_ ABSL_GUARDED_BY(loading_);
};

// Thread-safe.
class ChunkTable {
 public:
  // At most about `capacity` chunks are kept when not in use; each may hold a descriptor.
  ChunkTable(ChunkIndex& index, ChunkFiles& files, size_t capacity);
  // The one object of this chunk. It stays the one as long as anybody holds it.
  std::shared_ptr<Chunk> Get(ChunkId id);

 private:
  struct Shard {
    absl::Mutex mu;
    std::list<std::shared_ptr<Chunk>> by_use ABSL_GUARDED_BY(mu);  // last used first
    absl::flat_hash_map<ChunkId, std::list<std::shared_ptr<Chunk>>::iterator> chunks
        ABSL_GUARDED_BY(mu);
  };
  static constexpr size_t kShards = 16;
  static void Trim(Shard& shard, size_t capacity) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mu);

  ChunkIndex& index_;
  ChunkFiles& files_;
  const size_t shard_capacity_;
  std::vector<Shard> shards_{kShards};
};

}  // namespace cairn

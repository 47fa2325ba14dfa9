// The index of a chunk store: its rows in LevelDB, typed. What it holds after a power cut is a
// prefix of what was written (rule M2), so a seal never outlives the CRC rows written before it.
#pragma once

#include <leveldb/write_batch.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chunkserver/store/chunk_format.h"
#include "chunkserver/store/index_database.h"

namespace cairn {

// Changes that are applied together. Confined to one thread.
class IndexBatch {
 public:
  void PutChunk(ChunkId id, const ChunkRow& row);
  void PutCrcs(ChunkId id, uint32_t row_number, const CrcRow& row);
  void AddToGroup(PgId group, ChunkId id);
  void RemoveFromGroup(PgId group, ChunkId id);
  void MarkUnsealed(ChunkId id);
  void MarkSealed(ChunkId id);
  void RemoveChunk(ChunkId id);
  void RemoveCrcs(ChunkId id, uint32_t row_number);
  void PutScrubMark(const ScrubMark& mark);

 private:
  friend class ChunkIndex;
  leveldb::WriteBatch batch_;
};

// Reading a row that does not parse or match its CRC, or a damaged table, is kIoError everywhere:
// the disk cannot be trusted.

// The index at one moment; keeps old rows alive, so it should be short-lived. Thread-safe.
class IndexView {
 public:
  explicit IndexView(leveldb::DB& db);
  ~IndexView();
  IndexView(const IndexView&) = delete;
  IndexView& operator=(const IndexView&) = delete;

  Result<std::optional<ChunkRow>> Chunk(ChunkId id) const;
  // Rows from `first_row` on, in order; stops at the visitor's first error.
  using CrcVisitor = std::function<Status(uint32_t row_number, const CrcRow& row)>;
  Status VisitCrcs(ChunkId id, uint32_t first_row, const CrcVisitor& visit) const;
  Result<uint32_t> Digest(ChunkId id) const;
  Result<std::vector<ChunkId>> Group(PgId group, std::optional<ChunkId> after, size_t limit) const;
  Result<std::vector<ChunkId>> Unsealed() const;
  using ChunkVisitor = std::function<void(ChunkId id, const ChunkRow& row)>;
  // Chunks after `after` in order of id, at most `limit`.
  Status VisitChunks(std::optional<ChunkId> after, size_t limit, const ChunkVisitor& visit) const;

 private:
  Result<std::vector<ChunkId>> Ids(const std::string& prefix, std::string from, size_t limit) const;
  leveldb::DB& db_;
  const leveldb::Snapshot* snapshot_;
};

// Thread-safe.
class ChunkIndex {
 public:
  // kNotSupported: the directory was written by a newer format.
  static Result<std::unique_ptr<ChunkIndex>> Open(const std::string& directory, bool unclean_boot);
  static Result<std::unique_ptr<ChunkIndex>> Open(std::unique_ptr<IndexDatabase> database);

  Result<std::optional<ChunkRow>> Chunk(ChunkId id);
  Result<CrcRow> Crcs(ChunkId id, uint32_t row_number);  // empty when there is none
  Result<ScrubMark> LoadScrubMark();  // a default one where none was stored
  IndexView View() { return IndexView(database_->db()); }

  // In the page cache on return; on disk as well, with everything before it, when `sync`.
  Status Write(IndexBatch& batch, bool sync);
  // Everything written before the call is on disk on return.
  Status Sync();

 private:
  explicit ChunkIndex(std::unique_ptr<IndexDatabase> database) : database_(std::move(database)) {}
  Status CheckFormat();

  std::unique_ptr<IndexDatabase> database_;
  std::atomic<uint64_t> written_{1};  // batches; the first is what an earlier process left
  std::atomic<uint64_t> synced_{0};   // of those, known to be on disk
};

}  // namespace cairn

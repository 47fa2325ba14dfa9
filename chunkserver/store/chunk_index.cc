#include "chunkserver/store/chunk_index.h"

#include <utility>

#include "common/durable_leveldb.h"

namespace cairn {
namespace {

std::string_view View(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// One row that cannot be believed says that none can: the disk gave back other bytes than were
// written, where a power cut cannot have come between (rule M2). Unlike a block there is no other
// copy of a row to mend it from, so the disk is given up and the group goes on with the others.
Status Damaged(Status status) {
  if (status.code() != ErrorCode::kCorruption) return status;
  return Status::Error(ErrorCode::kIoError, "the chunk index is damaged: {}", status.message());
}

template <typename T>
Result<T> Trusted(Result<T> decoded) {
  if (decoded.has_value()) return decoded;
  return Fail(Damaged(std::move(decoded.error())));
}

Result<std::optional<std::string>> Get(leveldb::DB& db, const leveldb::Snapshot* snapshot,
                                       const std::string& key) {
  leveldb::ReadOptions options;
  options.snapshot = snapshot;
  options.verify_checksums = true;
  std::string value;
  leveldb::Status status = db.Get(options, key, &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return Fail(Damaged(FromLevelDb(status, "read a row")));
  return std::optional<std::string>(std::move(value));
}

Result<std::optional<ChunkRow>> GetChunk(leveldb::DB& db, const leveldb::Snapshot* snapshot,
                                         ChunkId id) {
  std::string key = ChunkKey(id);
  ASSIGN_OR_RETURN(std::optional<std::string> value, Get(db, snapshot, key));
  if (!value) return std::optional<ChunkRow>();
  ASSIGN_OR_RETURN(ChunkRow row, Trusted(DecodeChunkRow(key, *value)));
  return std::optional<ChunkRow>(row);
}

void RaiseTo(std::atomic<uint64_t>& mark, uint64_t value) {
  uint64_t seen = mark.load();
  while (seen < value && !mark.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

void IndexBatch::PutChunk(ChunkId id, const ChunkRow& row) {
  std::string key = ChunkKey(id);
  batch_.Put(key, EncodeChunkRow(key, row));
}

void IndexBatch::PutCrcs(ChunkId id, uint32_t row_number, const CrcRow& row) {
  if (row.present == 0) return RemoveCrcs(id, row_number);
  std::string key = CrcKey(id, row_number);
  batch_.Put(key, EncodeCrcRow(key, row));
}

void IndexBatch::AddToGroup(PgId group, ChunkId id) {
  batch_.Put(GroupKey(group, id), {});
}
void IndexBatch::RemoveFromGroup(PgId group, ChunkId id) {
  batch_.Delete(GroupKey(group, id));
}
void IndexBatch::MarkUnsealed(ChunkId id) {
  batch_.Put(UnsealedKey(id), {});
}
void IndexBatch::MarkSealed(ChunkId id) {
  batch_.Delete(UnsealedKey(id));
}
void IndexBatch::RemoveChunk(ChunkId id) {
  batch_.Delete(ChunkKey(id));
}
void IndexBatch::RemoveCrcs(ChunkId id, uint32_t row) {
  batch_.Delete(CrcKey(id, row));
}

void IndexBatch::PutScrubMark(const ScrubMark& mark) {
  const std::string key = ScrubMarkKey();
  batch_.Put(key, EncodeScrubMark(key, mark));
}

IndexView::IndexView(leveldb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
IndexView::~IndexView() {
  db_.ReleaseSnapshot(snapshot_);
}

Result<std::optional<ChunkRow>> IndexView::Chunk(ChunkId id) const {
  return GetChunk(db_, snapshot_, id);
}

Status IndexView::VisitCrcs(ChunkId id, uint32_t first_row, const CrcVisitor& visit) const {
  leveldb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options));
  std::string prefix = CrcPrefix(id);
  for (it->Seek(CrcKey(id, first_row)); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    ASSIGN_OR_RETURN(uint32_t row_number, Trusted(RowOfCrcKey(View(it->key()))));
    ASSIGN_OR_RETURN(CrcRow row, Trusted(DecodeCrcRow(View(it->key()), View(it->value()))));
    RETURN_IF_ERROR(visit(row_number, row));
  }
  if (!it->status().ok()) return Damaged(FromLevelDb(it->status(), "read the CRC rows"));
  return OkStatus();
}

Result<uint32_t> IndexView::Digest(ChunkId id) const {
  uint32_t digest = 0;
  RETURN_IF_ERROR(VisitCrcs(id, 0, [&](uint32_t row_number, const CrcRow& row) {
    digest = ExtendDigest(digest, row_number, row);
    return OkStatus();
  }));
  return digest;
}

Result<std::vector<ChunkId>> IndexView::Ids(const std::string& prefix, std::string from,
                                            size_t limit) const {
  leveldb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options));
  std::vector<ChunkId> ids;
  for (it->Seek(from); it->Valid() && it->key().starts_with(prefix) && ids.size() < limit;
       it->Next()) {
    ASSIGN_OR_RETURN(ChunkId id, Trusted(ChunkIdOfKey(View(it->key()))));
    ids.push_back(id);
  }
  if (!it->status().ok()) return Fail(Damaged(FromLevelDb(it->status(), "list chunks")));
  return ids;
}

Result<std::vector<ChunkId>> IndexView::Group(PgId group, std::optional<ChunkId> after,
                                              size_t limit) const {
  std::string prefix = GroupPrefix(group);
  // The first key after `after` is that key with a zero byte behind it.
  std::string from = after ? GroupKey(group, *after) + '\0' : prefix;
  return Ids(prefix, std::move(from), limit);
}

Status IndexView::VisitChunks(std::optional<ChunkId> after, size_t limit,
                              const ChunkVisitor& visit) const {
  leveldb::ReadOptions options;
  options.snapshot = snapshot_;
  options.verify_checksums = true;
  options.fill_cache = false;
  std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options));
  const std::string prefix = ChunkPrefix();
  const std::string from = after ? ChunkKey(*after) + '\0' : prefix;
  for (it->Seek(from); limit > 0 && it->Valid() && it->key().starts_with(prefix);
       it->Next(), --limit) {
    ASSIGN_OR_RETURN(const ChunkId id, Trusted(ChunkIdOfKey(View(it->key()))));
    ASSIGN_OR_RETURN(const ChunkRow row,
                     Trusted(DecodeChunkRow(View(it->key()), View(it->value()))));
    visit(id, row);
  }
  if (!it->status().ok()) return Damaged(FromLevelDb(it->status(), "read the chunk rows"));
  return OkStatus();
}

Result<std::vector<ChunkId>> IndexView::Unsealed() const {
  return Ids(UnsealedPrefix(), UnsealedPrefix(), SIZE_MAX);
}

Result<std::unique_ptr<ChunkIndex>> ChunkIndex::Open(const std::string& directory,
                                                     bool unclean_boot) {
  ASSIGN_OR_RETURN(std::unique_ptr<IndexDatabase> database,
                   OpenIndexDatabase(directory, {.unclean_boot = unclean_boot}));
  return Open(std::move(database));
}

Result<std::unique_ptr<ChunkIndex>> ChunkIndex::Open(std::unique_ptr<IndexDatabase> database) {
  std::unique_ptr<ChunkIndex> index(new ChunkIndex(std::move(database)));
  RETURN_IF_ERROR(index->CheckFormat());
  return index;
}

Status ChunkIndex::CheckFormat() {
  const std::string wanted(1, kChunkStoreFormat);
  ASSIGN_OR_RETURN(std::optional<std::string> found, Get(database_->db(), nullptr, FormatKey()));
  if (!found) {
    leveldb::WriteBatch batch;
    batch.Put(FormatKey(), wanted);
    return database_->Write(&batch, /*sync=*/true);
  }
  if (*found == wanted) return OkStatus();
  return Status::Error(ErrorCode::kNotSupported, "chunk index of unknown format {}",
                       found->empty() ? -1 : int{(*found)[0]});
}

Result<std::optional<ChunkRow>> ChunkIndex::Chunk(ChunkId id) {
  return GetChunk(database_->db(), nullptr, id);
}

Result<CrcRow> ChunkIndex::Crcs(ChunkId id, uint32_t row_number) {
  std::string key = CrcKey(id, row_number);
  ASSIGN_OR_RETURN(std::optional<std::string> value, Get(database_->db(), nullptr, key));
  if (!value) return CrcRow();
  return Trusted(DecodeCrcRow(key, *value));
}

Result<ScrubMark> ChunkIndex::LoadScrubMark() {
  const std::string key = ScrubMarkKey();
  ASSIGN_OR_RETURN(std::optional<std::string> value, Get(database_->db(), nullptr, key));
  if (!value) return ScrubMark();
  return Trusted(DecodeScrubMark(key, *value));
}

Status ChunkIndex::Write(IndexBatch& batch, bool sync) {
  RETURN_IF_ERROR(database_->Write(&batch.batch_, sync));
  ++written_;
  return OkStatus();
}

Status ChunkIndex::Sync() {
  // Counted after they were written, so that all of them are covered by the sync that follows.
  uint64_t written = written_.load();
  if (synced_.load() >= written) return OkStatus();
  leveldb::WriteBatch nothing;
  RETURN_IF_ERROR(database_->Write(&nothing, /*sync=*/true));
  RaiseTo(synced_, written);
  return OkStatus();
}

}  // namespace cairn

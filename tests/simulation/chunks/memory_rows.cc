#include "tests/simulation/chunks/memory_rows.h"

#include <leveldb/iterator.h>

#include <utility>

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {

struct MemoryRows::View {
  MemoryRows* disk = nullptr;  // null once detached
  std::shared_ptr<Rows> rows;
};

namespace {

class RowsSnapshot final : public leveldb::Snapshot {
 public:
  explicit RowsSnapshot(std::shared_ptr<const Rows> shown) : rows(std::move(shown)) {}
  const std::shared_ptr<const Rows> rows;
};

class RowsIterator final : public leveldb::Iterator {
 public:
  explicit RowsIterator(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)) {}
  bool Valid() const override { return at_ != rows_->end(); }
  void SeekToFirst() override { at_ = rows_->begin(); }
  void SeekToLast() override { at_ = rows_->empty() ? rows_->end() : std::prev(rows_->end()); }
  void Seek(const leveldb::Slice& target) override { at_ = rows_->lower_bound(target.ToString()); }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == rows_->begin() ? rows_->end() : std::prev(at_); }
  leveldb::Slice key() const override { return at_->first; }
  leveldb::Slice value() const override { return at_->second; }
  leveldb::Status status() const override { return {}; }

 private:
  const std::shared_ptr<const Rows> rows_;
  Rows::const_iterator at_ = rows_->end();
};

}  // namespace

// Only what ChunkIndex reads with.
class ReadOnlyDb final : public leveldb::DB {
 public:
  explicit ReadOnlyDb(const std::shared_ptr<Rows>& rows) : rows_(rows) {}
  leveldb::Status Put(const leveldb::WriteOptions&, const leveldb::Slice&,
                      const leveldb::Slice&) override {
    return leveldb::Status::NotSupported("put");
  }
  leveldb::Status Delete(const leveldb::WriteOptions&, const leveldb::Slice&) override {
    return leveldb::Status::NotSupported("delete");
  }
  leveldb::Status Write(const leveldb::WriteOptions&, leveldb::WriteBatch*) override {
    return leveldb::Status::NotSupported("write");
  }
  leveldb::Status Get(const leveldb::ReadOptions& options, const leveldb::Slice& key,
                      std::string* value) override {
    const std::shared_ptr<const Rows> rows = RowsOf(options);
    const auto found = rows->find(key.ToString());
    if (found == rows->end()) return leveldb::Status::NotFound("row");
    *value = found->second;
    return {};
  }
  leveldb::Iterator* NewIterator(const leveldb::ReadOptions& options) override {
    return new RowsIterator(RowsOf(options));
  }
  const leveldb::Snapshot* GetSnapshot() override { return new RowsSnapshot(rows_); }
  void ReleaseSnapshot(const leveldb::Snapshot* snapshot) override {
    delete static_cast<const RowsSnapshot*>(snapshot);
  }
  bool GetProperty(const leveldb::Slice&, std::string*) override { return false; }
  void GetApproximateSizes(const leveldb::Range*, int, uint64_t*) override {}
  void CompactRange(const leveldb::Slice*, const leveldb::Slice*) override {}

 private:
  std::shared_ptr<const Rows> RowsOf(const leveldb::ReadOptions& options) const {
    if (options.snapshot == nullptr) return rows_;
    return static_cast<const RowsSnapshot*>(options.snapshot)->rows;
  }
  const std::shared_ptr<Rows>& rows_;
};

class MemoryRows::Database final : public IndexDatabase {
 public:
  explicit Database(std::shared_ptr<View> view) : view_(std::move(view)), db_(view_->rows) {}
  leveldb::DB& db() override { return db_; }
  Status Write(leveldb::WriteBatch* batch, bool sync) override {
    if (view_->disk == nullptr) return Status(ErrorCode::kIoError, "the process is dead");
    return view_->disk->Write(*batch, sync);
  }

 private:
  const std::shared_ptr<View> view_;
  ReadOnlyDb db_;
};

std::unique_ptr<IndexDatabase> MemoryRows::Attach() {
  attached_ = std::make_shared<View>(View{this, rows_});
  return std::make_unique<Database>(attached_);
}

void MemoryRows::Detach() {
  if (attached_ == nullptr) return;
  attached_->disk = nullptr;
  attached_ = nullptr;
  rows_ = std::make_shared<Rows>(*rows_);
}

Status MemoryRows::Write(const leveldb::WriteBatch& batch, bool sync) {
  BatchChanges changes = ChangesOf(batch);
  // Whoever looks at a moment gone by keeps his own rows.
  if (rows_.use_count() > 2) {
    rows_ = std::make_shared<Rows>(*rows_);
    attached_->rows = rows_;
  }
  ApplyTo(changes, *rows_);
  unsynced_.push_back(std::move(changes));
  if (!sync) return OkStatus();
  for (const BatchChanges& written : unsynced_) ApplyTo(written, synced_);
  unsynced_.clear();
  return OkStatus();
}

void MemoryRows::LosePower(Random& random) {
  const size_t kept = random.Below(unsynced_.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    // Not a prefix: a row in the middle is missing (rule M2).
    if (ChunkBugIs(ChunkBug::kHoleInIndex) && i + 1 < kept && random.Chance(300)) continue;
    ApplyTo(unsynced_[i], synced_);
  }
  unsynced_.clear();
  rows_ = std::make_shared<Rows>(synced_);
}

}  // namespace cairn::simulation::chunks

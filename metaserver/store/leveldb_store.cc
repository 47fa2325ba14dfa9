#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <utility>

#include "common/durable_leveldb.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

namespace {

leveldb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view FromSlice(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

class LevelDbView final : public ReadView {
 public:
  explicit LevelDbView(std::shared_ptr<DurableLevelDb> database)
      : database_(std::move(database)), snapshot_(database_->db().GetSnapshot()) {
    options_.snapshot = snapshot_;
    options_.verify_checksums = true;
  }
  ~LevelDbView() override { database_->db().ReleaseSnapshot(snapshot_); }
  LevelDbView(const LevelDbView&) = delete;
  LevelDbView& operator=(const LevelDbView&) = delete;

  Result<std::optional<std::string>> Get(std::string_view key) const override {
    std::string value;
    leveldb::Status status = database_->db().Get(options_, ToSlice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    RETURN_IF_ERROR(FromLevelDb(status, "read a metadata row"));
    return std::optional<std::string>(std::move(value));
  }

  Status Scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    std::unique_ptr<leveldb::Iterator> row(database_->db().NewIterator(options_));
    for (row->Seek(ToSlice(std::max(prefix, from))); row->Valid(); row->Next()) {
      if (!row->key().starts_with(ToSlice(prefix))) break;
      if (!visit(FromSlice(row->key()), FromSlice(row->value()))) break;
    }
    return FromLevelDb(row->status(), "scan metadata rows");
  }

 private:
  std::shared_ptr<DurableLevelDb> database_;
  const leveldb::Snapshot* snapshot_;
  leveldb::ReadOptions options_;
};

class LevelDbStore final : public KvStore {
 public:
  explicit LevelDbStore(std::shared_ptr<DurableLevelDb> database)
      : database_(std::move(database)) {}

  std::unique_ptr<ReadView> View() override { return std::make_unique<LevelDbView>(database_); }

  Status Write(const RowChanges& changes, bool sync) override {
    leveldb::WriteBatch batch;
    for (const auto& [key, value] : changes) {
      value ? batch.Put(ToSlice(key), ToSlice(*value)) : batch.Delete(ToSlice(key));
    }
    return database_->Write(&batch, sync);
  }

  void Discard() override { database_->RemoveWhenClosed(); }

 private:
  std::shared_ptr<DurableLevelDb> database_;  // outlives its views
};

}  // namespace

Result<std::unique_ptr<KvStore>> OpenLevelDbStore(const std::string& directory, bool unclean_boot) {
  DurableLevelDbOptions options;
  options.unclean_boot = unclean_boot;
  ASSIGN_OR_RETURN(std::unique_ptr<DurableLevelDb> database,
                   DurableLevelDb::Open(directory, options));
  return std::unique_ptr<KvStore>(std::make_unique<LevelDbStore>(std::move(database)));
}

}  // namespace cairn

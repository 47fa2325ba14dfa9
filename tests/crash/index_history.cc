#include "tests/crash/index_history.h"

#include <cstring>
#include <utility>

namespace cairn::crash {
namespace {

constexpr char kNumberKey[] = "~number";
constexpr uint64_t kBallastKeys = 8;
constexpr size_t kWriteBufferBytes = 64u << 10;  // LevelDB takes no less

uint64_t NumberIn(const IndexHistory::Rows& rows) {
  const auto found = rows.find(kNumberKey);
  return found == rows.end() ? 0 : std::stoull(found->second);
}

}  // namespace

void QueuedEnv::RunQueued() {
  while (!queue_.empty()) {
    const Work work = queue_.front();
    queue_.pop_front();
    work.function(work.argument);
  }
}

class IndexHistory::Recorder final : public IndexDatabase {
 public:
  Recorder(IndexHistory& history, std::unique_ptr<IndexDatabase> below, QueuedEnv& env)
      : history_(history), below_(std::move(below)), env_(env) {}
  ~Recorder() override { env_.RunQueued(); }
  leveldb::DB& db() override { return below_->db(); }
  Status Write(leveldb::WriteBatch* batch, bool sync) override {
    const bool is_unseal = sync && batch->ApproximateSize() > kEmptyBatchBytes;
    history_.Begin(*batch);
    if (history_.bug_ == CrashBug::kUnsealNotDurable && is_unseal) sync = false;
    history_.disk_.SetIndexSync(sync);
    const bool left_out = history_.bug_ == CrashBug::kRowsOutOfOrder && !sync &&
                          history_.written() % 16 == 0;
    Status status = left_out ? OkStatus() : below_->Write(batch, sync);
    history_.disk_.SetIndexSync(false);
    // LevelDB's own thread would do it about now: rather late, so that logs which have a successor
    // are not in a table yet; before the next one is full, for LevelDB would wait.
    if (history_.written() % kBatchesPerTurn == 0) env_.RunQueued();
    return status;
  }

 private:
  static constexpr size_t kEmptyBatchBytes = 12;
  static constexpr uint64_t kBatchesPerTurn = 4;
  IndexHistory& history_;
  const std::unique_ptr<IndexDatabase> below_;
  QueuedEnv& env_;
};

void IndexHistory::Begin(leveldb::WriteBatch& batch) {
  const uint64_t number = written() + 1;
  batch.Put(kNumberKey, std::to_string(number));
  batch.Put("~ballast" + std::to_string(number % kBallastKeys),
            std::string(ballast_bytes_, static_cast<char>('a' + number % 26)));
  batches_.push_back(ChangesOf(batch));
}

Result<std::unique_ptr<IndexDatabase>> IndexHistory::Open(const std::string& directory,
                                                          bool unclean_boot, QueuedEnv& env) {
  DurableLevelDbOptions options;
  options.write_buffer_bytes = kWriteBufferBytes;
  options.block_cache_bytes = 1u << 20;
  options.unclean_boot = unclean_boot;
  options.env = &env;
  ASSIGN_OR_RETURN(std::unique_ptr<IndexDatabase> opened, OpenIndexDatabase(directory, options));
  auto recorder = std::make_unique<Recorder>(*this, std::move(opened), env);
  env.RunQueued();
  RETURN_IF_ERROR(Check(recorder->db()));
  return recorder;
}

Status IndexHistory::Check(leveldb::DB& db) {
  Rows rows;
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  std::unique_ptr<leveldb::Iterator> row(db.NewIterator(options));
  for (row->SeekToFirst(); row->Valid(); row->Next()) {
    rows[row->key().ToString()] = row->value().ToString();
  }
  if (!row->status().ok() && disk_.was_cut()) return FromLevelDb(row->status(), "read all rows");
  if (!row->status().ok()) return Broken("the index does not read: " + row->status().ToString());
  const uint64_t number = NumberIn(rows);
  const uint64_t least = power_was_cut_ ? promised_ : written();
  if (number < least || number > written()) {
    return Broken(fmt::format("the index ends at batch {}, of {} written {} are promised", number,
                              written(), least));
  }
  return Compare(number, rows);
}

Status IndexHistory::Compare(uint64_t number, const Rows& rows) {
  if (number < first_) return Broken(fmt::format("batch {} came before {}", number, first_));
  for (size_t i = 0; i < number - first_; ++i) ApplyTo(batches_[i], base_);
  batches_.clear();
  first_ = number;
  promised_ = std::min(promised_, number);
  power_was_cut_ = false;
  if (rows == base_) return OkStatus();
  return Broken(fmt::format("the index has batch {} and is not what the batches up to it make: "
                            "{} rows, not {}",
                            number, rows.size(), base_.size()));
}

Status IndexHistory::Broken(std::string what) {
  violation_ = "M2: " + what;
  return Status(ErrorCode::kInternal, *violation_);
}

}  // namespace cairn::crash

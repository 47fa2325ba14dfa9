// LevelDB opened so that what it holds after a power cut is a prefix of what was written (rule M2).
// Plain LevelDB starts a new write-ahead log without syncing the old one and, after a power cut,
// skips bad blocks and goes on: a hole in the middle. Here a log is synced before its successor
// exists, and after an unclean boot the logs are cut at the first bad, zero or incomplete record,
// and later logs dropped, before LevelDB reads them. A manifest loses a last record that is torn,
// which plain LevelDB would refuse to open.
#pragma once

#include <leveldb/db.h>

#include <atomic>
#include <memory>
#include <string>

#include "common/durable_env.h"
#include "common/file_env.h"
#include "common/status.h"

namespace cairn {

struct DurableLevelDbOptions {
  size_t write_buffer_bytes = 16u << 20;
  size_t block_cache_bytes = 64u << 20;
  // True when the machine has booted since the directory was last closed cleanly.
  bool unclean_boot = false;
  // Where its files lie, to outlive the database. Null: where LevelDB puts them by itself, which
  // maps tables into memory.
  FileEnv* env = nullptr;
};

// Owns the database together with its environment and caches. Thread-safe as leveldb::DB is.
class DurableLevelDb {
 public:
  static Result<std::unique_ptr<DurableLevelDb>> Open(const std::string& directory,
                                                      const DurableLevelDbOptions& options);
  ~DurableLevelDb();

  leveldb::DB& db() { return *db_; }
  // Applied together. On return in the page cache; durable as well when `sync`, with everything
  // written before.
  Status Write(leveldb::WriteBatch* batch, bool sync);
  // The destructor removes its files.
  void RemoveWhenClosed() { remove_when_closed_ = true; }

 private:
  DurableLevelDb(std::string directory, const DurableLevelDbOptions& options);
  FileSystem& files_;
  const std::string directory_;
  std::atomic<bool> remove_when_closed_{false};
  std::unique_ptr<DurableEnv> env_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

Status FromLevelDb(const leveldb::Status& status, std::string_view what);

}  // namespace cairn

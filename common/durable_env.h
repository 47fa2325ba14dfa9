// LevelDB's view of the file system with one addition (rule M2): a write-ahead log is synced before
// its successor exists, and once one failed to be written or synced nothing is written to any.
#pragma once

#include <leveldb/env.h>

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace cairn {

// For one database. Thread-safe.
class DurableEnv final : public leveldb::EnvWrapper {
 public:
  explicit DurableEnv(leveldb::Env* below) : EnvWrapper(below) {}

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override;

  // Syncs the log in use, if any. REQUIRES: no write is under way.
  leveldb::Status SyncLog();

  // The first failure of a log, after which LevelDB would leave a hole and go on.
  leveldb::Status failure();

 private:
  class LogFile;

  leveldb::Status Remember(leveldb::Status status);
  void Forget(const LogFile* file);

  absl::Mutex mu_;
  LogFile* current_ ABSL_GUARDED_BY(mu_) = nullptr;
  leveldb::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

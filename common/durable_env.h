// LevelDB's view of the file system with what rule M2 asks: a write-ahead log is synced before its
// successor exists, and once one failed to be written or synced nothing is written to any. And
// names are on disk where LevelDB leaves that to the file system: that of a table before a manifest
// tells of it, that of CURRENT before the manifest it named goes. So no power cut leaves a database
// that names a file that is not there.
#pragma once

#include <leveldb/env.h>

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"

namespace cairn {

// For one database. Thread-safe.
class DurableEnv final : public leveldb::EnvWrapper {
 public:
  // `files` are those below `below`; both must outlive the object.
  DurableEnv(leveldb::Env* below, FileSystem& files) : EnvWrapper(below), files_(files) {}

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** out) override;

  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

  // Syncs the log in use, if any. REQUIRES: no write is under way.
  leveldb::Status SyncLog();

  // The first failure of a log, after which LevelDB would leave a hole and go on.
  leveldb::Status failure();

 private:
  class LogFile;
  class NamedFile;

  // Of the directory that holds `path`.
  leveldb::Status SyncNames(const std::string& path);
  leveldb::Status Remember(leveldb::Status status);
  void Forget(const LogFile* file);

  FileSystem& files_;
  absl::Mutex mu_;
  LogFile* current_ ABSL_GUARDED_BY(mu_) = nullptr;
  leveldb::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

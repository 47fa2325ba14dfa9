// Everything that was written to a chunk index, batch by batch, so that what a power cut left can
// be proven to be a prefix of it (rule M2). Each batch carries its number, and now and then
// ballast, so that logs and tables change every few batches.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chunkserver/store/index_database.h"
#include "common/file_env.h"
#include "tests/crash/crash_disk.h"
#include "tests/support/batch_changes.h"

namespace cairn::crash {

// LevelDB's background work runs when it is told to, on the caller's thread: so a run is the same
// each time. Confined to one thread.
class QueuedEnv final : public FileEnv {
 public:
  explicit QueuedEnv(FileSystem& files) : FileEnv(files) {}
  void Schedule(void (*function)(void*), void* argument) override {
    queue_.push_back({function, argument});
  }
  // With all that is queued meanwhile.
  void RunQueued();

 private:
  struct Work {
    void (*function)(void*);
    void* argument;
  };
  std::deque<Work> queue_;
};

// Confined to one thread.
class IndexHistory {
 public:
  using Rows = std::map<std::string, std::string>;

  // `ballast_bytes` go with each batch.
  IndexHistory(CrashDisk& disk, CrashBug bug, size_t ballast_bytes)
      : disk_(disk), bug_(bug), ballast_bytes_(ballast_bytes) {}

  // The index of a store, its batches recorded. `env` must outlive it. When the index opens and is
  // not a prefix as it must be, that is the error, and violation() says so.
  Result<std::unique_ptr<IndexDatabase>> Open(const std::string& directory, bool unclean_boot,
                                              QueuedEnv& env);

  // Number of the newest batch that was begun.
  uint64_t written() const { return first_ + batches_.size(); }
  // A batch up to which everything was promised to be on disk.
  void Promise(uint64_t batch) { promised_ = std::max(promised_, batch); }
  // From now on unsynced batches may be missing.
  void PowerWasCut() { power_was_cut_ = true; }

  const std::optional<std::string>& violation() const { return violation_; }

 private:
  class Recorder;

  Status Check(leveldb::DB& db);
  // `rows` must be what the batches up to `number` make.
  Status Compare(uint64_t number, const Rows& rows);
  Status Broken(std::string what);
  void Begin(leveldb::WriteBatch& batch);

  CrashDisk& disk_;
  const CrashBug bug_;
  const size_t ballast_bytes_;
  Rows base_;           // after batch `first_`
  uint64_t first_ = 0;
  std::vector<BatchChanges> batches_;
  uint64_t promised_ = 0;
  bool power_was_cut_ = false;
  std::optional<std::string> violation_;
};

}  // namespace cairn::crash

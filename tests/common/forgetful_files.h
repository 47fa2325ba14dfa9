// A file system in memory that can lose power: what was not synced is gone, or only some of it is.
// File contents need File::Sync, names need SyncDirectory. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"

namespace cairn {

class ForgetfulFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status MakeDirectory(const std::string& path) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  bool Exists(const std::string& path) override;
  Status SyncDirectory(const std::string& directory) override;
  Status SyncAll(const std::string& path) override;
  Result<DiskSpace> Space(const std::string& path) override;

  // What becomes of names that were made, moved or removed and not synced: file systems with a
  // journal keep them up to some moment, POSIX promises nothing.
  enum class UnsyncedNames { kGo, kStay, kEachByItself };
  // Of each file the synced contents stay; of what was written since, each 512-byte sector stays or
  // goes as `random` decides. Open files must not be used any more.
  void LosePower(std::mt19937_64& random, UnsyncedNames names = UnsyncedNames::kGo);
  // How often File::Sync was called on all files together.
  uint64_t file_syncs() const;

 private:
  struct Contents {
    std::string now;
    std::string synced;
    // Where the two differ, if anywhere, lies in [unsynced_from, unsynced_to).
    size_t unsynced_from = std::string::npos;
    size_t unsynced_to = 0;

    void Change(size_t from, size_t to);
    void Resize(size_t size_bytes);
    void Sync();
    std::string AfterPowerCut(std::mt19937_64& random) const;
  };
  using Names = std::map<std::string, std::shared_ptr<Contents>>;
  class OpenFile;

  // Each path that differs is as it was synced, or as it is now.
  Names SomeNames(std::mt19937_64& random) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  Names now_ ABSL_GUARDED_BY(mu_);
  Names synced_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> directories_ ABSL_GUARDED_BY(mu_);  // made durable when made
  uint64_t file_syncs_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace cairn

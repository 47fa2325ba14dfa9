// A FileSystem that asks before each change whether it may happen: to cut the power after so many
// steps, or to hold a thread at one of them. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/common/forwarding_files.h"

namespace cairn {

class WatchedFiles final : public ForwardingFiles {
 public:
  enum class Change { kContents, kNames, kFileSync, kDirectorySync };
  // Not ok: the change does not happen, this is answered.
  using BeforeChange = std::function<Status(Change)>;

  // `below` must outlive the object.
  explicit WatchedFiles(FileSystem& below) : ForwardingFiles(below) {}

  // REQUIRES: nobody is at a change.
  void SetBeforeChange(BeforeChange before) {
    absl::MutexLock lock(&mu_);
    before_ = std::move(before);
  }
  // After so many changes the power is gone: no other takes effect.
  void CutAfter(uint64_t changes);
  bool was_cut() const {
    absl::MutexLock lock(&mu_);
    return was_cut_;
  }

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Remove(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status SyncDirectory(const std::string& directory) override;

 private:
  class WatchedFile;
  Status Ask(Change change);

  mutable absl::Mutex mu_;  // not held while `before_` runs
  BeforeChange before_ ABSL_GUARDED_BY(mu_);
  bool was_cut_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace cairn

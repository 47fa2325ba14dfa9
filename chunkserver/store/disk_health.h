// One disk's last word. After a failed fsync the kernel may have dropped dirty pages and marked
// them clean, so nothing read afterwards can be believed: the first EIO ends the use of the disk.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class DiskHealth {
 public:
  // `failed` hears the first failure, once, on the thread that met it and before any caller does.
  explicit DiskHealth(std::function<void(const Status&)> failed = nullptr)
      : failed_(std::move(failed)) {}

  // kDiskFailed once the disk has failed, kUnavailable once closed.
  Status Check() const;
  void Close();

  // Passes a status on. One that says the disk is broken is remembered and becomes kDiskFailed.
  Status Note(Status status);
  // For operations after whose failure the disk's contents are unknown, whatever the error: an
  // fsync, or a write of the index, whose log may now hold half a record.
  Status Fatal(Status status);

 private:
  Status Fail(const Status& cause);
  const std::function<void(const Status&)> failed_;
  std::atomic<bool> ended_{false};
  mutable absl::Mutex mu_;
  Status end_ ABSL_GUARDED_BY(mu_);
};

// Keeps room for the index, and for writes that a primary has ordered: a full disk must refuse data
// before the index cannot be written. Thread-safe.
class RoomGuard {
 public:
  RoomGuard(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}
  // kNoSpace: the disk has less than the reserve left, an ordered write less than a quarter of it.
  // Asks the disk only now and then.
  Status Admit(size_t size_bytes, bool ordered);

 private:
  FileSystem& files_;
  const std::string directory_;
  std::atomic<int64_t> unasked_bytes_{0};  // may still be written before the disk is asked again
};

}  // namespace cairn

// The disks of one chunkserver together: which of them serves a connection, in which order they
// join, and how they stop. Opens nothing and listens nowhere.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/disk_server.h"
#include "rpc/server.h"

namespace cairn {

// Thread-safe.
class DiskSet {
 public:
  // In the order of the configuration; those that have an id already count as before those that
  // are new. REQUIRES: at least one.
  explicit DiskSet(std::vector<std::unique_ptr<DiskServer>> disks);

  size_t size() const { return disks_.size(); }

  // The disk that the peer wants, in a lane of its own; never another one: kUnavailable says who is
  // here instead. A tool that does not say gets the first; with several disks nobody else does.
  Result<FrameService> Choose(const v1::Hello& peer) const;

  // Null: there is no such disk here, or it does not let clients read by themselves.
  LocalGrants* GrantsOf(ServerId server) const;

  // The first disk joins, and when the cluster knows it the others do, as disks of its chunkserver.
  // One that is refused is passed over; `all_refused` runs once, with the reason of the first, when
  // all are. Once.
  void Join(const v1::Endpoint& frames, std::function<void(const Status&)> all_refused);

  // As DiskServer's, for all of them. Close: the first error; all were tried.
  void Leave();
  void StopWorkers();
  Status Close();

 private:
  void JoinAsFirst(size_t disk);
  void JoinOthers(size_t first, ServerId chunkserver);
  void Refused(size_t disk, const Status& reason);

  const std::vector<std::unique_ptr<DiskServer>> disks_;
  v1::Endpoint frames_;                              // constant after Join()
  std::function<void(const Status&)> all_refused_;  // the same
  absl::Mutex mu_;                                   // a leaf
  bool others_join_ ABSL_GUARDED_BY(mu_) = false;
  size_t refused_ ABSL_GUARDED_BY(mu_) = 0;
  Status first_reason_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

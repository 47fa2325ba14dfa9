// Lets sessions that fell silent end, about once a second.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "metaserver/service/metadata_service.h"

namespace cairn {

// Thread-safe.
class SessionTicker {
 public:
  explicit SessionTicker(MetadataService& service) : service_(service) {}
  ~SessionTicker() { Stop(); }

  void Start();
  void Stop();

 private:
  MetadataService& service_;
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

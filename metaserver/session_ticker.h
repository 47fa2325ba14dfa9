// What a leader does as time goes by: lets sessions that fell silent end, about once a second, and
// has token keys made.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "metaserver/service/metadata_service.h"
#include "metaserver/service/token_issuer.h"

namespace cairn {

// Thread-safe.
class SessionTicker {
 public:
  SessionTicker(MetadataService& service, TokenIssuer& tokens)
      : service_(service), tokens_(tokens) {}
  ~SessionTicker() { Stop(); }

  void Start();
  void Stop();

 private:
  void Tick();

  MetadataService& service_;
  TokenIssuer& tokens_;
  int ticks_ = 0;  // confined to the thread
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

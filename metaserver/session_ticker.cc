#include "metaserver/session_ticker.h"

#include <pthread.h>

#include "absl/time/time.h"

namespace cairn {

void SessionTicker::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "session-ticker");
    absl::MutexLock lock(&mu_);
    while (!mu_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(1))) {
      mu_.Unlock();
      service_.ExpireSilentSessions();
      mu_.Lock();
    }
  });
}

void SessionTicker::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace cairn

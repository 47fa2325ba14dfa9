#include "metaserver/session_ticker.h"

#include <pthread.h>

#include "absl/time/time.h"

namespace cairn {

namespace {
// A newborn cluster has no key until the next tick, and nobody can write before.
constexpr absl::Duration kTick = absl::Milliseconds(100);
constexpr int kTicksPerLook = 10;  // at sessions
}  // namespace

void SessionTicker::Tick() {
  tokens_.RotateIfDue();
  if (++ticks_ % kTicksPerLook == 0) service_.ExpireSilentSessions();
}

void SessionTicker::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "session-ticker");
    absl::MutexLock lock(&mu_);
    while (!mu_.AwaitWithTimeout(absl::Condition(&stopping_), kTick)) {
      mu_.Unlock();
      Tick();
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

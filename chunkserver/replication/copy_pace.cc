#include "chunkserver/replication/copy_pace.h"

#include <algorithm>

namespace cairn {

void CopyPace::NoteClient() {
  last_client_.store(clock_.Now().since_boot.count(), std::memory_order_relaxed);
}

bool CopyPace::ClientsAreHere() const {
  const Duration last_client(last_client_.load(std::memory_order_relaxed));
  return clock_.Now().since_boot - last_client <= kClientsLinger;
}

Duration CopyPace::Take(uint64_t bytes, uint64_t bytes_per_second) {
  if (!ClientsAreHere()) return Duration::zero();
  const BootTime now = clock_.Now();
  const uint64_t rate = bytes_per_second == 0 ? kDefaultBytesPerSecond : bytes_per_second;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(rate);
  absl::MutexLock lock(&mu_);
  const BootTime start = std::max(now, free_at_);
  free_at_ = start + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return start - now;
}

}  // namespace cairn

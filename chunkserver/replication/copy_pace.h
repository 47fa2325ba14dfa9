// How fast this server copies to other members: as fast as it can while no client uses it, and not
// faster than the throttle while one does.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"

namespace cairn {

// Thread-safe.
class CopyPace {
 public:
  static constexpr uint64_t kDefaultBytesPerSecond = 32u << 20;
  // A client that was not heard for this long is gone.
  static constexpr Duration kClientsLinger = std::chrono::seconds(1);

  explicit CopyPace(const Clock& clock) : clock_(clock) {}

  // A client asked for something. On the path of every read and write: one load and one store.
  void NoteClient();
  // Whether copying has to leave room for clients.
  bool ClientsAreHere() const;
  // How long to wait before copying so many bytes. `bytes_per_second`: 0 is the default.
  Duration Take(uint64_t bytes, uint64_t bytes_per_second);

 private:
  const Clock& clock_;
  std::atomic<int64_t> last_client_{INT64_MIN / 2};  // nanoseconds since boot
  absl::Mutex mu_;
  BootTime free_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

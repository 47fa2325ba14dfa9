// One thread that watches the channels whose answers nobody is blocked on, and the deadlines of
// asynchronous calls. Sockets are watched one-shot, so that a blocking caller can read its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class Poller {
 public:
  static std::shared_ptr<Poller> Start(std::string thread_name);
  virtual ~Poller() = default;  // ends the thread

  enum class Until { kReadable, kWritable };

  // Runs `ready` on the poller's thread once `descriptor` can be read (or written, or is broken).
  // At most one watch per descriptor; dup() one to watch both ways.
  virtual void WatchOnce(int descriptor, std::function<void()> ready,
                         Until until = Until::kReadable) = 0;
  // Takes the watch back. On return its callback is not running and will not run, unless this is
  // called from that callback.
  virtual void Unwatch(int descriptor) = 0;
  // Runs `task` on the poller's thread at `when` or soon after. Tasks must not block.
  virtual void RunAt(BootTime when, std::function<void()> task) = 0;
  // How often the thread was woken so far: the unit of latency, so tests count it.
  virtual uint64_t wake_ups() const = 0;
};

}  // namespace cairn

// How long a repair will take, from what every source has left to copy and how fast it has been.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Bytes by source, the primary of the groups they belong to.
using BytesBySource = std::map<ServerId, uint64_t>;

// Confined to one thread.
class RepairForecast {
 public:
  // Rates are those of the last so many seconds: long enough to be steady, short enough to follow a
  // throttle.
  static constexpr Duration kRateWindow = std::chrono::seconds(10);

  // What is left at this moment; time grows from call to call. What a source has less than at the
  // call before it has copied.
  void Note(BootTime now, const BytesBySource& left, const std::set<ServerId>& throttled = {});
  void Forget() { looks_.clear(); }

  uint64_t bytes_per_second() const;  // of all sources; 0: nothing has been copied of late
  // Until the last byte, to the nearest, at least 1; 0: not known. A throttle binds each source by
  // itself: the slowest is waited for. Else what they write to bounds them all, and those that are
  // left get faster once others are done.
  uint64_t seconds_left() const;

 private:
  struct Look {
    BootTime at;
    BytesBySource left;
    BytesBySource copied;  // since the beginning
    bool rested = true;    // nothing was copied since the look before
  };
  double Seconds() const;
  uint64_t Copied(ServerId source) const;  // within the window

  std::deque<Look> looks_;
  std::set<ServerId> throttled_;  // at the last look
};

}  // namespace cairn

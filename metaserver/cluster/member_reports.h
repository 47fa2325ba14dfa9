// Who is to leave when one member cannot reach another (rule C7)? The accused is heard first: its
// heartbeats go on. Then either several processes miss it, and it leaves, or only one does for a
// while. That one leaves, alone with its trouble, unless the metaserver cannot reach the accused
// either.
#pragma once

#include <map>
#include <utility>

#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Two complaints about one server by different ones belong together within this time. Longer than
// the second after which a reporter repeats itself.
inline constexpr Duration kReportsAgree = std::chrono::milliseconds(1500);
// A lone complaint must be repeated for this long. Longer than kAliveWithin, so that a server that
// died when the first one came is known to be silent by then.
inline constexpr Duration kReportStands = std::chrono::seconds(2);
// A complaint not repeated within this time was settled.
inline constexpr Duration kReportSettled = std::chrono::seconds(3);

// Thread-compatible.
class MemberReports {
 public:
  enum class Verdict { kWait, kAccusedLeaves, kReporterLeaves };

  // The disks of one process have one network: together they are one witness.
  struct Reporter {
    ServerId server;
    ServerId chunkserver;
  };
  // `reporter` says at `now` that it cannot reach `accused`.
  // REQUIRES: the accused is alive.
  Verdict Note(const Reporter& reporter, ServerId accused, BootTime now);
  // Forgets what was said by and about a server that leaves.
  void Forget(ServerId server);

 private:
  struct Times {
    BootTime first;
    BootTime last;
    ServerId chunkserver;  // the reporter's
  };
  std::map<std::pair<ServerId, ServerId>, Times> standing_;  // {accused, reporter}
};

}  // namespace cairn

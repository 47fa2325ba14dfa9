// What clients may rely on: nothing that was acknowledged is lost, nothing is done twice, nothing
// old is read after something new. Indexes of the log stand for points in time: whoever began after
// an answer was heard must see a state, or get a place, beyond what that answer spoke of.
#pragma once

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "cairn/v1/command.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/violations.h"

namespace cairn::simulation {

// Thread-compatible.
class ClientRules {
 public:
  explicit ClientRules(Violations& violations) : violations_(violations) {}

  // Heard by some client: whoever begins from now on sees it.
  LogIndex floor() const { return floor_; }

  // A client heard the answer to what it had asked for at `asked`, when the floor was `began`.
  void HeardChange(Time asked, LogIndex began, LogIndex index, const v1::Outcome& outcome);
  void HeardRead(LogIndex began, LogIndex index);
  // A client was told that its session is no more.
  void SessionLost(uint64_t session);
  uint64_t acknowledged() const { return acknowledged_; }
  // The newest change that was acknowledged was asked for then.
  Time newest_acknowledged() const { return newest_acknowledged_; }

  // A member applied the command of entry `index`.
  void Applied(LogIndex index, const v1::Command& command, const v1::Outcome& outcome);
  // A leader ends a session that it has not heard for so long, being in office for so long.
  void SessionEnds(ServerId leader, uint64_t session, Duration silent, Duration in_office);

 private:
  Violations& violations_;
  LogIndex floor_;
  uint64_t acknowledged_ = 0;
  Time newest_acknowledged_{};
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, LogIndex> executed_;  // {session, sequence}
  absl::flat_hash_map<uint64_t, LogIndex> inodes_;
  std::set<uint64_t> closed_;  // sessions
};

}  // namespace cairn::simulation

#include "tests/simulation/client_rules.h"

#include <algorithm>

#include "metaserver/operations/replies.h"

namespace cairn::simulation {

namespace {

// The request was not run, or may be run again.
bool WasRefused(const v1::Outcome& outcome) {
  const auto code = static_cast<ErrorCode>(outcome.code());
  return code == ErrorCode::kUnknownSession || code == ErrorCode::kStaleRequest ||
         code == ErrorCode::kBusy || code == ErrorCode::kUnavailable;
}

}  // namespace

void ClientRules::HeardChange(Time asked, LogIndex began, LogIndex index,
                              const v1::Outcome& outcome) {
  if (!outcome.replayed() && index <= began) {
    violations_.Add("linearizability", fmt::format("a change got the place {}, {} was acknowledged"
                                                   " before it was asked for",
                                                   index, began));
  }
  floor_ = std::max(floor_, index);
  ++acknowledged_;
  newest_acknowledged_ = std::max(newest_acknowledged_, asked);
}

void ClientRules::HeardRead(LogIndex began, LogIndex index) {
  if (index < began) {
    violations_.Add("stale read", fmt::format("a read saw the state at {}, {} was acknowledged "
                                              "before it began",
                                              index, began));
  }
  floor_ = std::max(floor_, index);
}

void ClientRules::Applied(LogIndex index, const v1::Command& command, const v1::Outcome& outcome) {
  if (WasRefused(outcome) || outcome.replayed()) return;
  if (command.has_close_session()) closed_.insert(command.close_session().session());
  if (command.new_inode() != 0 && outcome.inode() == command.new_inode()) {
    auto [inode, fresh] = inodes_.try_emplace(command.new_inode(), index);
    if (inode->second != index) {
      violations_.Add("M1", fmt::format("inode {} was given out at {} and at {}",
                                        command.new_inode(), inode->second, index));
    }
  }
  const v1::RequestId* id = RequestIdOf(command);
  if (id == nullptr || id->session() == 0) return;
  auto [run, fresh] = executed_.try_emplace({id->session(), id->sequence()}, index);
  if (run->second != index) {
    violations_.Add("M3", fmt::format("request {} of session {} was run at {} and at {}",
                                      id->sequence(), id->session(), run->second, index));
  }
}

void ClientRules::SessionLost(uint64_t session) {
  if (closed_.contains(session)) return;
  violations_.Add("M8", fmt::format("session {} is unknown, nobody has closed it", session));
}

void ClientRules::SessionEnds(ServerId leader, uint64_t session, Duration silent,
                              Duration in_office) {
  if (silent >= timing::kSessionLife && in_office >= timing::kSessionLife) return;
  violations_.Add("M8", fmt::format("{} ends session {}, heard {} ms ago, after {} ms in office",
                                    leader, session, silent / std::chrono::milliseconds(1),
                                    in_office / std::chrono::milliseconds(1)));
}

}  // namespace cairn::simulation

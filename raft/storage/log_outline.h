// What is known of a log's entries without reading them again: the terms, and the memberships.
// Thread-compatible.
#pragma once

#include <optional>
#include <vector>

#include "common/ids.h"
#include "raft/core/log_entry.h"
#include "raft/core/start_state.h"

namespace cairn {

class LogOutline {
 public:
  using TermStart = raft::StartState::TermStart;

  // REQUIRES: entries come in order, without gaps.
  void Add(const LogEntry& entry);
  // Puts one that continues this one behind it.
  void Add(const LogOutline& next);
  // Forgets the entries at `index` and above.
  void ForgetFrom(LogIndex index);
  // Forgets the entries below `index`.
  void ForgetBelow(LogIndex index);

  // nullopt: not in it.
  std::optional<Term> TermAt(LogIndex index) const;
  // Where each term begins, the first one at the first entry.
  const std::vector<TermStart>& terms() const { return terms_; }
  // The entries that change the membership, in order.
  const std::vector<LogEntry>& memberships() const { return memberships_; }

 private:
  std::vector<TermStart> terms_;
  std::vector<LogEntry> memberships_;
  LogIndex last_;  // 0: empty
};

}  // namespace cairn

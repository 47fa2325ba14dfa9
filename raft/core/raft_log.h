// The log as the core sees it: where it begins and ends, which terms are where, what is on disk.
// Recent entries are in memory, older ones come from the LogReader. Thread-compatible.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/log_entry.h"
#include "raft/core/start_state.h"

namespace cairn::raft {

class RaftLog {
 public:
  RaftLog(const StartState& start, LogReader& reader);

  LogIndex first_index() const { return first_; }
  LogIndex last_index() const { return last_; }
  Term last_term() const;
  // Everything up to here is on this member's disk.
  LogIndex persisted() const { return persisted_; }
  // nullopt: not in the log any more, or not yet. Index 0 has term 0.
  std::optional<Term> TermAt(LogIndex index) const;
  bool Matches(LogIndex index, Term term) const { return TermAt(index) == term; }
  // Has a log that ends with (index, term) everything this one has (Raft 5.4.1)?
  bool IsCoveredBy(LogIndex index, Term term) const;
  // The last index up to `index` whose term is at most `term`: the furthest that this log may have
  // in common with one that has `term` at `index`.
  LogIndex LastCommon(LogIndex index, Term term) const;

  // REQUIRES: entry.index == last_index() + 1, its term does not fall.
  void Append(LogEntry entry);
  // Forgets everything above `index`. REQUIRES: first_index() - 1 <= index.
  void CutAfter(LogIndex index);
  // Begins anew behind a snapshot, empty.
  void Reset(LogIndex index, Term term);

  // Entries [from, through], at least one, then as long as they are within `max_bytes`.
  // REQUIRES: first_index() <= from <= through <= last_index().
  Result<std::vector<LogEntry>> Read(LogIndex from, LogIndex through, size_t max_bytes) const;

  // The entry (index, term) and all before it are on disk; ignored if it has been cut since.
  void MarkPersisted(LogIndex index, Term term);
  // Drops from memory what is on disk, at or below `index`, and beyond `max_bytes`.
  void TrimCache(LogIndex index, size_t max_bytes);
  void Compacted(LogIndex first);

 private:
  LogIndex cache_first() const { return LogIndex(last_.value + 1 - cache_.size()); }

  LogReader& reader_;
  LogIndex first_;
  LogIndex last_;
  LogIndex persisted_;
  // A point below the log whose term is known, for the first entry's predecessor.
  LogIndex base_index_;
  Term base_term_;
  std::deque<StartState::TermStart> terms_;  // sorted; covers first_..last_
  std::deque<LogEntry> cache_;               // the newest entries, through last_
  size_t cache_bytes_ = 0;
};

}  // namespace cairn::raft

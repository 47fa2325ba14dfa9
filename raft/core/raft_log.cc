#include "raft/core/raft_log.h"

#include <algorithm>
#include <utility>

namespace cairn::raft {

namespace {
bool BeginsAfter(LogIndex index, const StartState::TermStart& start) {
  return index < start.index;
}
}  // namespace

RaftLog::RaftLog(const StartState& start, LogReader& reader)
    : reader_(reader),
      first_(start.first_index),
      last_(start.last_index),
      persisted_(start.last_index),
      base_index_(start.applied.index),
      base_term_(start.applied.term),
      terms_(start.terms.begin(), start.terms.end()) {}

Term RaftLog::last_term() const {
  return terms_.empty() ? base_term_ : terms_.back().term;
}

std::optional<Term> RaftLog::TermAt(LogIndex index) const {
  if (index.value == 0) return Term(0);
  if (index > last_) return std::nullopt;
  if (index < first_) return index == base_index_ ? std::optional(base_term_) : std::nullopt;
  const auto above = std::upper_bound(terms_.begin(), terms_.end(), index, BeginsAfter);
  return above == terms_.begin() ? std::nullopt : std::optional(std::prev(above)->term);
}

bool RaftLog::IsCoveredBy(LogIndex index, Term term) const {
  return term > last_term() || (term == last_term() && index >= last_);
}

LogIndex RaftLog::LastCommon(LogIndex index, Term term) const {
  LogIndex at = std::min(index, last_);
  for (auto start = terms_.rbegin(); start != terms_.rend() && start->index.value > 0; ++start) {
    if (start->index > at) continue;
    if (start->term <= term) return at;
    at = LogIndex(start->index.value - 1);
  }
  // Below the log only the term of the entry right before it is known.
  const bool conflicts = at == base_index_ && base_term_ > term && at.value > 0;
  return conflicts ? LogIndex(at.value - 1) : at;
}

void RaftLog::Append(LogEntry entry) {
  if (terms_.empty() || terms_.back().term != entry.term) {
    terms_.push_back({entry.index, entry.term});
  }
  last_ = entry.index;
  cache_bytes_ += entry.command.size() + sizeof(LogEntry);
  cache_.push_back(std::move(entry));
}

void RaftLog::CutAfter(LogIndex index) {
  while (!cache_.empty() && cache_.back().index > index) {
    cache_bytes_ -= cache_.back().command.size() + sizeof(LogEntry);
    cache_.pop_back();
  }
  while (!terms_.empty() && terms_.back().index > index) terms_.pop_back();
  last_ = std::min(last_, index);
  persisted_ = std::min(persisted_, index);
}

void RaftLog::Reset(LogIndex index, Term term) {
  cache_.clear();
  cache_bytes_ = 0;
  terms_.clear();
  first_ = LogIndex(index.value + 1);
  last_ = persisted_ = base_index_ = index;
  base_term_ = term;
}

Result<std::vector<LogEntry>> RaftLog::Read(LogIndex from, LogIndex through,
                                            size_t max_bytes) const {
  std::vector<LogEntry> entries;
  if (from < cache_first()) {
    ASSIGN_OR_RETURN(entries, reader_.ReadEntries(from, max_bytes));
    // The disk may still hold a suffix that was cut since.
    const LogIndex last = std::min(through, LogIndex(cache_first().value - 1));
    while (!entries.empty() && entries.back().index > last) entries.pop_back();
    if (entries.empty()) return Fail(ErrorCode::kCorruption, "entry {} cannot be read", from);
    return entries;
  }
  size_t bytes = 0;
  for (size_t i = from.value - cache_first().value; from <= through; ++from.value, ++i) {
    bytes += cache_[i].command.size();
    if (!entries.empty() && bytes > max_bytes) break;
    entries.push_back(cache_[i]);
  }
  return entries;
}

void RaftLog::MarkPersisted(LogIndex index, Term term) {
  if (Matches(index, term)) persisted_ = std::max(persisted_, index);
}

void RaftLog::TrimCache(LogIndex index, size_t max_bytes) {
  const LogIndex limit = std::min(index, persisted_);
  while (cache_bytes_ > max_bytes && !cache_.empty() && cache_.front().index <= limit) {
    cache_bytes_ -= cache_.front().command.size() + sizeof(LogEntry);
    cache_.pop_front();
  }
}

void RaftLog::Compacted(LogIndex first) {
  if (first <= first_) return;
  if (const auto term = TermAt(LogIndex(first.value - 1))) {
    base_index_ = LogIndex(first.value - 1);
    base_term_ = *term;
  }
  TrimCache(LogIndex(first.value - 1), 0);
  while (terms_.size() > 1 && terms_[1].index <= first) terms_.pop_front();
  if (!terms_.empty() && terms_.front().index < first) {
    if (first <= last_) {
      terms_.front().index = first;
    } else {
      terms_.clear();
    }
  }
  first_ = first;
}

}  // namespace cairn::raft

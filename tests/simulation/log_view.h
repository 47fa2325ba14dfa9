// Where which term is in the log that a process believes in: what it has asked its disk to write,
// whether that is done or not.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "raft/core/start_state.h"

namespace cairn::simulation {

// Thread-compatible.
class LogView {
 public:
  LogView() = default;
  explicit LogView(const raft::StartState& start) : first_(start.first_index.value) {
    for (size_t i = 0; i < start.terms.size(); ++i) {
      const uint64_t end =
          i + 1 < start.terms.size() ? start.terms[i + 1].index.value : start.last_index.value + 1;
      while (first_ + terms_.size() < end) terms_.push_back(start.terms[i].term);
    }
    base_index_ = start.applied.index;
    base_term_ = start.applied.term;
  }

  LogIndex first_index() const { return LogIndex(first_); }
  LogIndex last_index() const { return LogIndex(first_ + terms_.size() - 1); }
  std::optional<Term> TermAt(LogIndex index) const {
    if (index.value >= first_ && index <= last_index()) return terms_[index.value - first_];
    if (index == base_index_) return base_term_;
    return std::nullopt;
  }

  // Replaces everything from the entry's index on. False: that would leave a gap.
  bool Put(LogIndex index, Term term) {
    if (index.value < first_ || index.value > last_index().value + 1) return false;
    terms_.resize(index.value - first_);
    terms_.push_back(term);
    return true;
  }
  // REQUIRES: index is not below the log.
  void CutFrom(LogIndex index) {
    terms_.resize(std::min<size_t>(terms_.size(), index.value - first_));
  }
  void Reset(LogIndex index, Term term) {
    terms_.clear();
    first_ = index.value + 1;
    base_index_ = index;
    base_term_ = term;
  }
  void Compact(LogIndex first) {
    while (first_ < first.value && !terms_.empty()) {
      base_index_ = LogIndex(first_++);
      base_term_ = terms_.front();
      terms_.pop_front();
    }
  }

 private:
  uint64_t first_ = 1;
  std::deque<Term> terms_;
  LogIndex base_index_;
  Term base_term_;
};

}  // namespace cairn::simulation

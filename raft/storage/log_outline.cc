#include "raft/storage/log_outline.h"

#include <algorithm>

namespace cairn {

namespace {
bool BeginsBehind(LogIndex index, const LogOutline::TermStart& start) {
  return index < start.index;
}
}  // namespace

void LogOutline::Add(const LogEntry& entry) {
  if (terms_.empty() || terms_.back().term != entry.term) {
    terms_.push_back({entry.index, entry.term});
  }
  if (entry.kind == EntryKind::kMembership) memberships_.push_back(entry);
  last_ = entry.index;
}

void LogOutline::Add(const LogOutline& next) {
  for (const TermStart& start : next.terms_) {
    if (terms_.empty() || terms_.back().term != start.term) terms_.push_back(start);
  }
  memberships_.insert(memberships_.end(), next.memberships_.begin(), next.memberships_.end());
  last_ = std::max(last_, next.last_);
}

void LogOutline::ForgetFrom(LogIndex index) {
  if (index > last_) return;
  std::erase_if(terms_, [&](const TermStart& start) { return start.index >= index; });
  std::erase_if(memberships_, [&](const LogEntry& entry) { return entry.index >= index; });
  last_ = LogIndex(terms_.empty() ? 0 : index.value - 1);
}

void LogOutline::ForgetBelow(LogIndex index) {
  std::erase_if(memberships_, [&](const LogEntry& entry) { return entry.index < index; });
  // The term that `index` lies in begins there now.
  auto above = std::upper_bound(terms_.begin(), terms_.end(), index, BeginsBehind);
  if (above != terms_.begin() && index <= last_) {
    --above;
    above->index = index;
  }
  terms_.erase(terms_.begin(), above);
  if (terms_.empty()) last_ = LogIndex(0);
}

std::optional<Term> LogOutline::TermAt(LogIndex index) const {
  if (index > last_) return std::nullopt;
  auto above = std::upper_bound(terms_.begin(), terms_.end(), index, BeginsBehind);
  if (above == terms_.begin()) return std::nullopt;
  return std::prev(above)->term;
}

}  // namespace cairn

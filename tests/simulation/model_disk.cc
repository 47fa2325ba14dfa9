#include "tests/simulation/model_disk.h"

#include <algorithm>

#include "tests/simulation/harness_bug.h"

namespace cairn::simulation {

Result<raft::StartState> ModelDisk::Open(const raft::SnapshotPoint& applied) {
  facts_.incarnation = Incarnation(facts_.incarnation.value + 1);
  earlier_facts_ = {facts_};
  CutDamage();
  if (!HarnessBugIs(HarnessBug::kUnsyncedTailCounted)) synced_ = last_index().value;
  const uint64_t next = applied.index.value + 1;
  const std::optional<Term> term = TermAt(applied.index);
  // A state that conflicts with the log comes from a snapshot: what the log has above was never
  // committed. One ahead of the log makes it useless, one behind its beginning is a broken rule.
  if (first_ > next) facts_.lost = std::max(facts_.lost, last_index());
  if (first_ > next || last_index() < applied.index || (term && *term != applied.term)) {
    RETURN_IF_ERROR(Reset(LogIndex(next)));
  }
  return MakeStartState(applied);
}

void ModelDisk::CutDamage() {
  if (damaged_.empty()) return;
  facts_.lost = std::max(facts_.lost, last_index());
  CutFrom(*damaged_.begin());
}

raft::StartState ModelDisk::MakeStartState(const raft::SnapshotPoint& applied) const {
  raft::StartState start;
  start.hard_state = facts_.hard_state;
  start.applied = applied;
  start.first_index = first_index();
  start.last_index = last_index();
  start.may_have_acknowledged = facts_.lost;
  for (const LogEntry& entry : entries_) {
    if (start.terms.empty() || start.terms.back().term != entry.term) {
      start.terms.push_back({entry.index, entry.term});
    }
    if (entry.kind == EntryKind::kMembership && entry.index > applied.index) {
      start.memberships.push_back(entry);
    }
  }
  return start;
}

Status ModelDisk::Write(const raft::WriteBatch& batch) {
  if (full_ && !batch.entries.empty()) return Status(ErrorCode::kNoSpace, "full");
  if (batch.hard_state) {
    if (HarnessBugIs(HarnessBug::kLostDirectorySync)) earlier_facts_.push_back(facts_);
    facts_.hard_state = *batch.hard_state;
  }
  if (batch.entries.empty()) return OkStatus();
  CutFrom(batch.entries.front().index.value);
  marked_ = synced_;
  for (const LogEntry& entry : batch.entries) Append(entry);
  synced_ = last_index().value;
  return OkStatus();
}

void ModelDisk::WritePartly(const raft::WriteBatch& batch, bool torn, Random& random) {
  const uint64_t steps = random.Below(batch.entries.size() + 3);
  if (steps == 0) return;
  if (batch.hard_state) facts_.hard_state = *batch.hard_state;
  if (steps == 1 || batch.entries.empty()) return;
  CutFrom(batch.entries.front().index.value);
  if (!torn) return;
  for (uint64_t i = 0; i + 2 < steps; ++i) Append(batch.entries[i]);
}

void ModelDisk::CutFrom(uint64_t index) {
  CAIRN_CHECK(index >= first_);
  CAIRN_CHECK(index <= last_index().value + 1);
  entries_.resize(std::min<size_t>(entries_.size(), index - first_));
  synced_ = std::min(synced_, index - 1);
  marked_ = std::min(marked_, index - 1);
  damaged_.erase(damaged_.lower_bound(index), damaged_.end());
}

void ModelDisk::Append(const LogEntry& entry) {
  CAIRN_CHECK(entry.index.value == last_index().value + 1);
  entries_.push_back(entry);
}

Status ModelDisk::Compact(LogIndex through) {
  while (!entries_.empty() && first_ <= through.value) {
    damaged_.erase(first_);
    entries_.pop_front();
    ++first_;
  }
  synced_ = std::max(synced_, first_ - 1);
  marked_ = std::max(marked_, first_ - 1);
  return OkStatus();
}

Status ModelDisk::Reset(LogIndex first) {
  entries_.clear();
  damaged_.clear();
  first_ = first.value;
  synced_ = marked_ = first_ - 1;
  return OkStatus();
}

Status ModelDisk::ForgetLost() {
  facts_.lost = LogIndex(0);
  return OkStatus();
}

Status ModelDisk::Close() {
  marked_ = synced_;
  return OkStatus();
}

std::optional<Term> ModelDisk::TermAt(LogIndex index) const {
  if (!Has(index)) return std::nullopt;
  return entries_[index.value - first_].term;
}

Result<std::vector<LogEntry>> ModelDisk::ReadEntries(LogIndex from, size_t max_bytes) {
  std::vector<LogEntry> found;
  size_t bytes = 0;
  for (LogIndex at = from; Has(at); at = LogIndex(at.value + 1)) {
    const LogEntry& entry = entries_[at.value - first_];
    bytes += entry.command.size();
    if (!found.empty() && bytes > max_bytes) break;
    if (damaged_.contains(at.value)) {
      if (!found.empty()) break;
      return Fail(ErrorCode::kCorruption, "entry {} does not match its checksum", at);
    }
    found.push_back(entry);
  }
  if (found.empty()) return Fail(ErrorCode::kCorruption, "entry {} is not in the log", from);
  return found;
}

void ModelDisk::LosePower(Random& random) {
  if (last_index().value > synced_) {
    const uint64_t kept = random.Below(last_index().value - synced_ + 1);
    CutFrom(synced_ + kept + 1);
    if (!HarnessBugIs(HarnessBug::kUnsyncedTailCounted)) return;
    synced_ = last_index().value;
  }
  if (HarnessBugIs(HarnessBug::kLostDirectorySync) && !earlier_facts_.empty()) {
    facts_ = earlier_facts_[random.Below(earlier_facts_.size())];
  }
}

void ModelDisk::Damage(LogIndex index) {
  CAIRN_CHECK(Has(index) && index.value <= marked_);
  damaged_.insert(index.value);
}

bool ModelDisk::FlipBit(Random& random) {
  const uint64_t last = std::min(marked_, last_index().value);
  if (entries_.empty() || last < first_) return false;
  // Mostly in what was written lately: the oldest entries are in every state already.
  const uint64_t range = std::min<uint64_t>(last - first_ + 1, random.Chance(700) ? 10 : last);
  damaged_.insert(last - random.Below(range));
  return true;
}

}  // namespace cairn::simulation

#include "tests/simulation/state.h"

#include <cstring>

#include "metaserver/operations/apply.h"
#include "metaserver/store/rows.h"
#include "tests/simulation/harness_bug.h"
#include "tests/simulation/hash_bytes.h"
#include "tests/simulation/request_id.h"

namespace cairn::simulation {

namespace {

uint64_t RowHash(std::string_view key, const std::optional<std::string>& value) {
  return value ? MixBits(HashBytes(key) ^ MixBits(HashBytes(*value))) : 0;
}

// Numbers in snapshots are of this machine: they never leave the process.
void PutBytes(std::string_view bytes, std::string& out) {
  const uint64_t size = bytes.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(bytes);
}

bool TakeBytes(std::string_view& in, std::string& bytes) {
  uint64_t size = 0;
  if (in.size() < sizeof size) return false;
  std::memcpy(&size, in.data(), sizeof size);
  in.remove_prefix(sizeof size);
  if (in.size() < size) return false;
  bytes.assign(in.substr(0, size));
  in.remove_prefix(size);
  return true;
}

bool DecodeRows(std::string_view in, RowChanges& rows) {
  std::string key;
  std::string value;
  while (!in.empty()) {
    if (!TakeBytes(in, key) || !TakeBytes(in, value)) return false;
    rows[key] = value;
  }
  return true;
}

// The operation without its request id is one that nobody could recognise as a retry.
void ForgetRequestId(v1::Command& command) {
  if (v1::RequestId* id = MutableRequestId(command)) id->Clear();
}

}  // namespace

std::string ToString(const AppliedCommand& done) {
  const std::string text = done.command.ShortDebugString();
  return fmt::format("{} -> {}", text, done.outcome.ShortDebugString());
}

State::State(raft::Membership founders) : store_(MakeMemoryStore()) {
  applied_.membership = std::move(founders);
}

std::vector<AppliedCommand> State::Apply(std::span<const LogEntry> entries, Time clock) {
  CAIRN_CHECK(entries.front().index.value == applied_.index.value + 1);
  Batch batch;
  batch.before = applied_;
  std::vector<AppliedCommand> done;
  {
    const std::unique_ptr<ReadView> view = store_->View();
    Result<MetadataTransaction> txn = MetadataTransaction::Begin(*view);
    CAIRN_CHECK(txn.has_value());
    for (const LogEntry& entry : entries) done.push_back(ApplyOne(entry, *txn, clock));
    CAIRN_CHECK(txn->store_status().ok());
    txn->mutable_state().set_applied_term(entries.back().term.value);
    txn->mutable_state().set_applied_index(entries.back().index.value);
    Result<RowChanges> changes = txn->Finish();
    CAIRN_CHECK(changes.has_value());
    batch.redo = *std::move(changes);
  }
  batch.undo = Write(batch.redo);
  applied_.index = entries.back().index;
  applied_.term = entries.back().term;
  batch.after = applied_;
  const bool group_changed = batch.before.membership != applied_.membership;
  pending_.push_back(std::move(batch));
  if (group_changed) Sync();  // who is in the group must not be older here than in the log
  return done;
}

AppliedCommand State::ApplyOne(const LogEntry& entry, MetadataTransaction& txn, Time clock) {
  switch (entry.kind) {
    case EntryKind::kNoop:
      return {};
    case EntryKind::kMembership: {
      Result<raft::Membership> membership = raft::DecodeMembership(entry.command);
      CAIRN_CHECK(membership.has_value());
      applied_.membership = *std::move(membership);
      txn.mutable_state().set_metaservers(entry.command);
      return {};
    }
    case EntryKind::kCommand:
      break;
  }
  AppliedCommand done;
  CAIRN_CHECK(done.command.ParseFromString(entry.command));
  v1::Command command;
  const bool spoilt =
      HarnessBugIs(HarnessBug::kRetryAppliedTwice) || HarnessBugIs(HarnessBug::kClockInApply);
  if (spoilt) command = done.command;
  if (HarnessBugIs(HarnessBug::kRetryAppliedTwice)) ForgetRequestId(command);
  if (HarnessBugIs(HarnessBug::kClockInApply)) command.mutable_time()->set_seconds(clock.count());
  done.outcome = ApplyCommand(spoilt ? command : done.command, txn);
  return done;
}

// Returns what was there.
RowChanges State::Write(const RowChanges& changes) {
  RowChanges before;
  {
    const std::unique_ptr<ReadView> view = store_->View();
    for (const auto& [key, value] : changes) {
      std::optional<std::string> old = *view->Get(key);
      hash_ += RowHash(key, value) - RowHash(key, old);
      before.emplace_hint(before.end(), key, std::move(old));
    }
  }
  CAIRN_CHECK(store_->Write(changes, false).ok());
  return before;
}

Found State::Lookup(uint64_t parent, const std::string& name) const {
  const std::unique_ptr<ReadView> view = store_->View();
  const Result<v1::DentryRecord> entry = LoadEntry(*view, InodeId(parent), name);
  if (!entry) return {entry.error().code(), 0, 0};
  const Result<v1::InodeRecord> inode = LoadInode(*view, InodeId(entry->inode()));
  if (!inode) return {inode.error().code(), 0, 0};
  return {ErrorCode::kOk, entry->inode(), inode->attributes().size()};
}

void State::Sync() {
  pending_.clear();
  durable_ = applied_.index;
}

void State::Undo(size_t keep) {
  while (pending_.size() > keep) {
    Write(pending_.back().undo);
    applied_ = pending_.back().before;
    pending_.pop_back();
  }
}

void State::LosePower(Random& random) {
  if (HarnessBugIs(HarnessBug::kHoleInStateWal) && pending_.size() > 1) {
    const std::deque<Batch> all = pending_;
    const size_t hole = random.Below(all.size() - 1);
    Undo(hole);
    for (size_t i = hole + 1; i < all.size(); ++i) Write(all[i].redo);
    applied_ = all.back().after;
  } else {
    Undo(random.Below(pending_.size() + 1));
  }
  Sync();  // what a start finds is on disk
}

std::string State::Encode() const {
  std::string bytes;
  CAIRN_CHECK(store_->View()
                  ->Scan("", "",
                         [&bytes](std::string_view key, std::string_view value) {
                           PutBytes(key, bytes);
                           PutBytes(value, bytes);
                           return true;
                         })
                  .ok());
  return bytes;
}

bool State::Replace(const raft::SnapshotPoint& point, const std::string& bytes) {
  RowChanges rows;
  if (!DecodeRows(bytes, rows)) return false;
  store_ = MakeMemoryStore();
  hash_ = 0;
  Write(rows);
  applied_ = point;
  Sync();
  return true;
}

}  // namespace cairn::simulation

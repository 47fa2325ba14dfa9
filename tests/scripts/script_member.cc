#include "tests/scripts/script_member.h"

#include <algorithm>
#include <utility>

namespace cairn::scripts {

namespace {

std::string RoleName(raft::RoleKind role) {
  switch (role) {
    case raft::RoleKind::kFollower:
      return "follower";
    case raft::RoleKind::kPreCandidate:
      return "pre-candidate";
    case raft::RoleKind::kCandidate:
      return "candidate";
    case raft::RoleKind::kLeader:
      return "leader";
  }
  return "";
}

std::string EntryText(const LogEntry& entry) {
  switch (entry.kind) {
    case EntryKind::kNoop:
      return "(noop)";
    case EntryKind::kMembership:
      return ToString(*raft::DecodeMembership(entry.command));
    case EntryKind::kCommand:
      break;
  }
  return entry.command;
}

std::string WriteText(const raft::WriteBatch& batch) {
  std::string text;
  if (batch.hard_state) {
    text += fmt::format(" term={} vote={}", batch.hard_state->term, batch.hard_state->vote);
  }
  if (!batch.entries.empty()) {
    text += fmt::format(" entries={}..{}", batch.entries.front().index, batch.entries.back().index);
  }
  return text;
}

}  // namespace

ScriptMember::ScriptMember(const raft::CoreOptions& options, raft::Membership founders,
                           size_t piece_bytes, MemberOutput& output)
    : options_(options), piece_bytes_(piece_bytes), output_(output) {
  applied_.membership = std::move(founders);
}

void ScriptMember::Start(Time now) {
  const Result<raft::StartState> start = disk_.Open(applied_);
  CAIRN_CHECK(start.has_value());
  options_.incarnation = disk_.incarnation();
  core_ = std::make_unique<raft::Core>(options_, *start, disk_, now);
  role_ = RoleName(raft::RoleKind::kFollower);
  Pump(now);
}

void ScriptMember::Crash() {
  core_.reset();
  writing_.reset();
  holding_ = false;
}

void ScriptMember::Step(const raft::Message& message, Time now) {
  core_->Step(message, now);
  Pump(now);
}

void ScriptMember::Tick(Time now) {
  core_->Tick(now);
  Pump(now);
}

void ScriptMember::Pump(Time now) {
  while (true) {
    const raft::Ready ready = core_->TakeReady();
    if (ready.empty()) break;
    for (const raft::Message& message : ready.messages) output_.send(message);
    for (const LogEntry& entry : ready.committed) Apply(entry);
    for (const raft::ReadGrant& grant : ready.reads) {
      Print(grant.granted
                ? fmt::format("{} read {} granted at {}", options_.self, grant.id, grant.index)
                : fmt::format("{} read {} refused", options_.self, grant.id));
    }
    for (const raft::SnapshotWanted& wanted : ready.snapshots_wanted) Supply(wanted, now);
    if (ready.incoming_piece) Take(*ready.incoming_piece, now);
    if (ready.recovered) {
      CAIRN_CHECK(disk_.ForgetLost().ok());
      Print(fmt::format("{} has its lost entries again", options_.self));
    }
    if (ready.write) writing_ = ready.write;
    if (writing_ && !holding_) FinishWrite(now);
  }
  NoteRole();
  if (core_->failure().ok()) return;
  Print(fmt::format("{} stops: {}", options_.self, core_->failure().message()));
  Crash();
}

void ScriptMember::NoteRole() {
  const raft::CoreStatus status = core_->Describe();
  const std::string role = RoleName(status.role);
  if (std::exchange(role_, role) == role) return;
  Print(fmt::format("{} is {} in term {}", options_.self, role, status.term));
}

void ScriptMember::FinishWrite(Time now) {
  const raft::WriteBatch batch = *std::exchange(writing_, std::nullopt);
  if (disk_is_full_ && !batch.entries.empty()) {
    return core_->NotPersisted(batch.number, now);
  }
  if (output_.writes) Print(fmt::format("{} writes{}", options_.self, WriteText(batch)));
  CAIRN_CHECK(disk_.Write(batch).ok());
  core_->Persisted(batch.number, now);
}

bool ScriptMember::Persist(Time now) {
  if (!writing_) return false;
  FinishWrite(now);
  Pump(now);
  return true;
}

void ScriptMember::FreeDisk(Time now) {
  holding_ = false;
  if (writing_) Persist(now);
}

void ScriptMember::Damage(LogIndex index) {
  disk_.Damage(index);
}

void ScriptMember::Compact(LogIndex through) {
  CAIRN_CHECK(through <= applied_.index);
  CAIRN_CHECK(disk_.Compact(through).ok());
  core_->Compacted(disk_.first_index());
}

void ScriptMember::Apply(const LogEntry& entry) {
  applied_.index = entry.index;
  applied_.term = entry.term;
  if (entry.kind == EntryKind::kMembership) {
    applied_.membership = *raft::DecodeMembership(entry.command);
  }
  if (entry.kind == EntryKind::kCommand) state_ += " " + entry.command;
  Print(
      fmt::format("{} applies {}/{} {}", options_.self, entry.index, entry.term, EntryText(entry)));
  core_->Applied(entry.index);
}

void ScriptMember::Supply(const raft::SnapshotWanted& wanted, Time now) {
  const bool same = wanted.index && *wanted.index == outgoing_point_.index;
  if (!same) {
    outgoing_ = state_;
    outgoing_point_ = applied_;
  }
  raft::SnapshotPiece piece;
  piece.point = outgoing_point_;
  piece.offset = same ? wanted.offset : 0;
  piece.data = outgoing_.substr(piece.offset, piece_bytes_);
  piece.last = piece.offset + piece.data.size() == outgoing_.size();
  core_->SupplySnapshot(wanted.peer, std::move(piece), now);
}

void ScriptMember::Take(const raft::SnapshotPiece& piece, Time now) {
  if (piece.offset == 0) incoming_.clear();
  CAIRN_CHECK(piece.offset == incoming_.size());
  incoming_ += piece.data;
  if (!piece.last) return;
  if (std::exchange(refuse_snapshot_, false)) {
    Print(fmt::format("{} refuses the snapshot at {}", options_.self, piece.point.index));
    return core_->SnapshotRefused(now);
  }
  state_ = incoming_;
  applied_ = piece.point;
  CAIRN_CHECK(disk_.Reset(LogIndex(piece.point.index.value + 1)).ok());
  Print(fmt::format("{} installs the snapshot at {}:{}", options_.self, piece.point.index, state_));
  core_->SnapshotInstalled(piece.point, now);
}

std::string ScriptMember::StatusLine(Time now) const {
  if (!running()) return fmt::format("{} is down", options_.self);
  const raft::CoreStatus status = core_->Describe();
  std::string line = fmt::format("{} {} term={} leader={} last={} commit={} applied={}",
                                 options_.self, RoleName(status.role), status.term, status.leader,
                                 status.last_index, status.commit, applied_.index);
  if (core_->LeaseHolds(now)) line += " lease";
  if (!status.voting) line += " not-voting";
  if (status.recovering) line += " recovering";
  return line;
}

std::string ScriptMember::LogText() {
  std::string text;
  for (LogIndex at = disk_.first_index(); at <= disk_.last_index(); ++at.value) {
    const Result<std::vector<LogEntry>> entries = disk_.ReadEntries(at, 0);
    text += entries
                ? fmt::format("{}/{} {}\n", at, entries->front().term, EntryText(entries->front()))
                : fmt::format("{} {}\n", at, entries.error().message());
  }
  return text;
}

}  // namespace cairn::scripts

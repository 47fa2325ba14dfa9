#include "tests/simulation/service.h"

#include <utility>

#include "metaserver/operations/replies.h"
#include "metaserver/store/rows.h"
#include "tests/simulation/harness_bug.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"

namespace cairn::simulation {

namespace {

constexpr uint64_t kRange = 32;  // small, so that ranges run out

bool MakesInode(const v1::Command& command) {
  return command.has_create() || command.has_make_directory();
}

// Who loses a name: the one that is there now, as far as the proposer can see.
uint64_t VictimOf(const v1::Command& command, const ReadView& view) {
  uint64_t parent = command.unlink().parent();
  std::string name = command.unlink().name();
  if (command.has_rename()) {
    parent = command.rename().new_parent();
    name = command.rename().new_name();
  }
  const auto entry = FindEntry(view, InodeId(parent), name);
  return entry && *entry ? (*entry)->inode() : 0;
}

Reply Refusal(ErrorCode code) {
  Reply reply;
  reply.code = code;
  return reply;
}

}  // namespace

Service::Service(World& world, Machine& machine, Process& process)
    : world_(world), machine_(machine), process_(process), inodes_([this] { ReserveRange(); }) {}

bool Service::Admit(uint64_t session, const Answer& answer) {
  raft::Core& core = process_.core();
  if (core.LeadingTerm().value == 0) {
    Reply reply = Refusal(ErrorCode::kNotLeader);
    reply.leader = core.Describe().leader;
    answer(reply);
    return false;
  }
  if (!in_office_) {
    answer(Refusal(ErrorCode::kUnavailable));
    return false;
  }
  if (session == 0 || sessions_->Touch(SessionId(session))) {
    // As a mount does when it is asked to; these hold nothing open.
    if (session != 0) sessions_->Reclaim(SessionId(session), {});
    heard_[session] = machine_.local_now();
    return true;
  }
  // One that has lost its office without knowing may not have heard of the session: only who
  // surely leads can say that there is none.
  const bool leads = core.LeaseHolds(machine_.local_now());
  answer(Refusal(leads ? ErrorCode::kUnknownSession : ErrorCode::kUnavailable));
  return false;
}

void Service::Change(v1::Command command, Answer answer) {
  const v1::RequestId* id = RequestIdOf(command);
  if (!Admit(id != nullptr ? id->session() : 0, answer)) return;
  Complete(command);
  if (!MakesInode(command)) {
    Propose(command, std::move(answer));
  } else {
    inodes_.Take([this, command = std::move(command),
                  answer = std::move(answer)](Result<InodeId> inode) mutable {
      if (!inode) return answer(Refusal(inode.error().code()));
      command.set_new_inode(inode->value);
      command.set_layout_seed(MixBits(inode->value));
      Propose(command, std::move(answer));
    });
  }
  process_.Pump();
}

void Service::Complete(v1::Command& command) {
  const WallTime now = machine_.WallNow();
  command.mutable_time()->set_seconds(now.seconds);
  command.mutable_time()->set_nanoseconds(now.nanoseconds);
  if (command.has_unlink() || command.has_rename()) {
    command.set_expected_victim(VictimOf(command, *machine_.state().View()));
  }
}

void Service::Propose(const v1::Command& command, Answer answer) {
  raft::Core& core = process_.core();
  const Result<LogIndex> index = core.Propose(command.SerializeAsString(), machine_.local_now());
  if (!index) return answer(Refusal(index.error().code()));
  world_.trace.Add(10, machine_.id().value, index->value);
  pending_[*index] = {core.LeadingTerm(), std::move(answer)};
}

void Service::ReserveRange() {
  v1::Command command;
  command.mutable_reserve_inodes()->set_count(kRange);
  Propose(command, [this](const Reply& reply) {
    if (reply.code != ErrorCode::kOk) return inodes_.Refuse(Status(reply.code, "no range"));
    inodes_.Add(InodeId(reply.outcome.first_inode()), kRange);
  });
}

void Service::LeadershipChanged() {
  in_office_ = false;
  if (!HarnessBugIs(HarnessBug::kOldSessionTable)) sessions_.reset();
  heard_.clear();
  std::map<LogIndex, Pending> pending;
  pending.swap(pending_);
  // They may run yet: whoever asked must ask again.
  for (auto& [index, waiting] : pending) waiting.answer(Refusal(ErrorCode::kUnavailable));
}

void Service::Withdrawn(LogIndex last) {
  while (!pending_.empty() && pending_.rbegin()->first > last) {
    const Pending waiting = std::move(pending_.rbegin()->second);
    pending_.erase(std::prev(pending_.end()));
    waiting.answer(Refusal(ErrorCode::kNoSpace));
  }
}

void Service::EnterOfficeWhenDue() {
  raft::Core& core = process_.core();
  if (in_office_ || core.LeadingTerm().value == 0) return;
  if (machine_.state().applied().index < core.FirstOwnIndex()) return;
  in_office_ = true;
  office_since_ = machine_.local_now();
  if (sessions_ != nullptr) return;
  sessions_ = std::make_unique<SessionTable>(machine_);
  CAIRN_CHECK(sessions_->Restore(*machine_.state().View()).ok());
}

void Service::Applied(const LogEntry& entry, const AppliedCommand& done) {
  world_.client_rules.Applied(entry.index, done.command, done.outcome);
  if (sessions_ != nullptr && done.outcome.code() == 0) {
    const SessionId session(done.outcome.session());
    if (done.command.has_open_session()) sessions_->Add(session);
    if (done.command.has_close_session()) sessions_->Remove(session);
    if (done.command.has_open_session()) heard_[session.value] = machine_.local_now();
  }
  auto pending = pending_.find(entry.index);
  if (pending == pending_.end()) return;
  const Pending waiting = std::move(pending->second);
  pending_.erase(pending);
  Reply reply = Refusal(entry.term == waiting.term ? ErrorCode::kOk : ErrorCode::kUnavailable);
  reply.outcome = done.outcome;
  reply.index = entry.index;
  waiting.answer(reply);
}

void Service::AppliedUpTo(LogIndex index) {
  EnterOfficeWhenDue();
  while (!granted_reads_.empty() && granted_reads_.begin()->first <= index) {
    const PendingRead read = std::move(granted_reads_.begin()->second);
    granted_reads_.erase(granted_reads_.begin());
    read.answer(ReadState(read.request));
  }
}

void Service::Tick() {
  EnterOfficeWhenDue();
  if (!in_office_ || machine_.local_now() < next_look_) return;
  next_look_ = machine_.local_now() + 1s;
  EndSilentSessions();
  process_.Pump();
}

void Service::EndSilentSessions() {
  for (SessionId session : sessions_->TakeSilent()) {
    const Time now = machine_.local_now();
    auto heard = heard_.find(session.value);
    const Time silent = now - (heard != heard_.end() ? heard->second : office_since_);
    world_.client_rules.SessionEnds(machine_.id(), session.value, silent, now - office_since_);
    v1::Command command;
    command.mutable_close_session()->set_session(session.value);
    Complete(command);
    Propose(command, [this, session](const Reply& reply) {
      if (reply.code != ErrorCode::kOk && sessions_ != nullptr) sessions_->KeepAfterAll(session);
    });
  }
}

void Service::Read(LookupRequest request, Answer answer) {
  if (!Admit(request.session, answer)) return;
  if (request.by_lease) {
    ReadByLease(request, answer);
  } else {
    ReadByIndex(std::move(request), std::move(answer));
  }
  process_.Pump();
}

Reply Service::ReadState(const LookupRequest& request) const {
  Reply reply;
  reply.found = machine_.state().Lookup(request.parent, request.name);
  reply.index = machine_.state().applied().index;
  return reply;
}

Service::LeaseRead Service::ReadUnderLease(const LookupRequest& request, Term term) const {
  return {term, world_.log_rules.newest_leader_term(), ReadState(request)};
}

void Service::ReadByLease(const LookupRequest& request, const Answer& answer) {
  const Time now = machine_.local_now();
  const bool checks_first = HarnessBugIs(HarnessBug::kLeaseCheckedBeforeRead);
  if (checks_first && !process_.core().LeaseHolds(now)) return ReadByIndex(request, answer);
  if (HarnessBugIs(HarnessBug::kLeaseCheckRemembered)) {
    if (process_.core().LeaseHolds(now)) lease_seen_ = now;
    if (now - lease_seen_ < 1s) return answer(ReadState(request));
  }
  // Mostly at once, now and then a thread is kept waiting between the two.
  const Time gap = machine_.random().Chance(300) ? machine_.random().Between(1ms, 300ms) : Time(0);
  const Term term = process_.core().LeadingTerm();
  machine_.After(gap, [this, request, answer, read = ReadUnderLease(request, term)] {
    FinishLeaseRead(request, answer, read);
  });
}

void Service::FinishLeaseRead(const LookupRequest& request, const Answer& answer,
                              const LeaseRead& read) {
  if (HarnessBugIs(HarnessBug::kLeaseCheckedBeforeRead)) {
    const LeaseRead late = ReadUnderLease(request, read.term);
    world_.log_rules.ReadByLease(machine_, late.term, late.newest);
    return answer(late.reply);
  }
  raft::Core& core = process_.core();
  if (core.LeadingTerm() == read.term && core.LeaseHolds(machine_.local_now())) {
    world_.log_rules.LeaseHeld(machine_, read.term, core.FirstOwnIndex());
    world_.log_rules.ReadByLease(machine_, read.term, read.newest);
    return answer(read.reply);
  }
  ReadByIndex(request, answer);
  process_.Pump();
}

void Service::ReadByIndex(LookupRequest request, Answer answer) {
  const uint64_t id = ++next_read_;
  asked_reads_[id] = {std::move(request), std::move(answer)};
  process_.core().Read(id, machine_.local_now());
}

void Service::Granted(const raft::ReadGrant& grant) {
  auto asked = asked_reads_.find(grant.id);
  if (asked == asked_reads_.end()) {
    return world_.violations.Add(
        "reads", fmt::format("{} answers read {} that nobody waits for", machine_.id(), grant.id));
  }
  PendingRead read = std::move(asked->second);
  asked_reads_.erase(asked);
  if (!grant.granted) return read.answer(Refusal(ErrorCode::kUnavailable));
  if (grant.index <= machine_.state().applied().index) return read.answer(ReadState(read.request));
  granted_reads_.emplace(grant.index, std::move(read));
}

}  // namespace cairn::simulation

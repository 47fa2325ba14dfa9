#include "raft/raft_node.h"

#include <pthread.h>

#include <algorithm>

#include "common/logging.h"
#include "raft/storage/log_format.h"

namespace cairn {

namespace {
constexpr Duration kTick = std::chrono::milliseconds(20);
// A request that the core has not answered by then never will be.
constexpr Duration kRequestLife = std::chrono::seconds(60);
// A snapshot that was not asked for during so long is let go: it keeps old rows from being freed.
constexpr Duration kSnapshotLife = std::chrono::minutes(1);
// A removed member is told so again and again; what was said long ago may have changed.
constexpr Duration kStrangerFor = std::chrono::seconds(10);
}  // namespace

RaftNode::RaftNode(RaftNodeOptions options, StateMachine& machine, RaftTransport& transport)
    : options_(std::move(options)), machine_(machine), transport_(transport), sender_(machine) {}

RaftNode::~RaftNode() {
  Stop();
}

void RaftNode::Start() {
  Work work;
  {
    absl::MutexLock lock(&mu_);
    if (core_ != nullptr || stopping_ || storage_->self() == ServerId()) return;
    MakeCore();
    if (core_ == nullptr) return;
    work = Collect();
  }
  Finish(std::move(work));
  ticking_ = true;
  ticker_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "raft-tick");
    // Not a timed wait on the mutex: a wall clock that is set back would make it last.
    while (ticking_) {
      std::this_thread::sleep_for(kTick);
      Tick();
    }
  });
}

void RaftNode::Tick() {
  Work work;
  {
    absl::MutexLock lock(&mu_);
    if (core_ == nullptr || stopping_ || !failure_.ok()) return;
    core_->Tick(Now());
    work = Collect();
    if (Now() - idle_dropped_ > kSnapshotLife) {
      idle_dropped_ = Now();
      house_.Run([this] { sender_.DropIdle(); });
    }
    for (auto request = requests_.begin(); request != requests_.end();) {
      if (Now() - request->second.since < kRequestLife) break;  // tags grow with time
      work.replies.emplace_back(std::move(request->second.reply), std::nullopt);
      request = requests_.erase(request);
    }
  }
  Finish(std::move(work));
}

Status RaftNode::Adopt(ServerId self, const raft::Members& founders) {
  const std::string encoded =
      founders.empty() ? "" : raft::Encode(raft::Membership{founders, {}, {}});
  absl::MutexLock lock(&mu_);
  if (core_ != nullptr || storage_->self() != ServerId()) {
    if (storage_->self() == self && storage_->founders() == encoded) return OkStatus();
    return Status::Error(ErrorCode::kExists, "this is already metaserver {}{}", storage_->self(),
                         storage_->self() == self ? ", of another group" : "");
  }
  return storage_->Adopt(self, encoded);
}

void RaftNode::Propose(std::string command, Done done) {
  Work work;
  Status refused;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) {
      refused = Status(ErrorCode::kCancelled, "the metaserver is stopping");
    } else if (!failure_.ok()) {
      refused = failure_;
    } else if (command.size() > log_format::kMaxCommandBytes) {
      refused = Status::Error(ErrorCode::kTooLarge, "a command of {} bytes", command.size());
    } else if (core_ == nullptr) {
      refused = Status(ErrorCode::kNotLeader, "this metaserver is in no group yet");
    } else {
      const Result<LogIndex> index = core_->Propose(std::move(command), Now());
      if (index) pending_.push_back({*index, core_->LeadingTerm(), std::move(done)});
      if (!index) refused = index.error();
      work = Collect();
    }
  }
  if (!refused.ok()) done(Fail(refused));
  Finish(std::move(work));
}

bool RaftNode::Leads(Term term) const {
  return core_ != nullptr && !stopping_ && failure_.ok() && term != Term() &&
         core_->LeadingTerm() == term;
}

bool RaftNode::LeaseHolds(Term term) const {
  absl::MutexLock lock(&mu_);
  return Leads(term) && core_->LeaseHolds(Now());
}

void RaftNode::ConfirmLeadership(Term term, std::function<void(bool leads)> done) {
  Work work;
  {
    absl::MutexLock lock(&mu_);
    if (Leads(term)) {
      reads_.emplace(++last_read_, std::move(done));
      core_->Read(last_read_, Now());
      work = Collect();
    } else {
      work.reads.emplace_back(std::move(done), false);
    }
  }
  Finish(std::move(work));
}

void RaftNode::HandleRequest(raft::Message message, Reply reply) {
  Work work;
  Status refused;
  {
    absl::MutexLock lock(&mu_);
    const bool votes = std::holds_alternative<raft::VoteRequest>(message.body);
    if (core_ == nullptr || stopping_ || !failure_.ok()) {
      refused = Status(ErrorCode::kUnavailable, "this metaserver is in no group");
    } else if (message.to != self_) {
      refused = Status::Error(ErrorCode::kWrongCluster, "this is metaserver {}, not {}", self_,
                              message.to);
    } else if (votes && leading_term_ != Term() && !members_.Contains(message.from)) {
      refused = Status::Error(ErrorCode::kNotFound, "metaserver {} is not in the group any more",
                              message.from);
    } else {
      message.tag = ++last_tag_;
      requests_.emplace(message.tag, OpenRequest{std::move(reply), Now()});
      core_->Step(message, Now());
      const bool owes = core_->Owes(message.tag);
      work = Collect();
      const auto open = requests_.find(message.tag);
      if (!owes && open != requests_.end() && !open->second.kept) {
        work.replies.emplace_back(std::move(open->second.reply), std::nullopt);
        requests_.erase(open);
      }
    }
  }
  if (!refused.ok()) reply(Fail(refused));
  Finish(std::move(work));
}

void RaftNode::HandleReply(const raft::Message& message) {
  Work work;
  {
    absl::MutexLock lock(&mu_);
    if (core_ == nullptr || stopping_ || !failure_.ok()) return;
    core_->Step(message, Now());
    work = Collect();
  }
  Finish(std::move(work));
}

void RaftNode::NoteStranger(ServerId by) {
  absl::MutexLock lock(&mu_);
  if (!stranger_since_) LOG_WARN("metaserver {} says this one is not in the group any more", by);
  stranger_since_ = Now();
}

void RaftNode::SupplySnapshot(const raft::SnapshotWanted& wanted) {
  Result<raft::SnapshotPiece> piece = sender_.PieceFor(wanted);
  if (!piece) LOG_WARN("no snapshot for server={} reason={}", wanted.peer, piece.error());
  Work work;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_ || !failure_.ok()) return;
    core_->SupplySnapshot(wanted.peer, piece ? std::optional(*std::move(piece)) : std::nullopt,
                          Now());
    work = Collect();
  }
  Finish(std::move(work));
}

Result<std::vector<LogEntry>> RaftNode::ReadEntries(LogIndex from, size_t max_bytes) {
  return storage_->ReadEntries(from, max_bytes);
}

RaftNode::Work RaftNode::Collect() {
  Work work;
  for (raft::Ready ready = core_->TakeReady(); !ready.empty(); ready = core_->TakeReady()) {
    if (ready.write) {
      disk_.Run([this, batch = *std::move(ready.write)] { Write(batch); });
    }
    if (ready.incoming_piece) {
      // It is answered when it is stored: the sender must not be faster than this disk.
      std::vector<raft::Message> answers = KeepSnapshotReplies(ready.messages);
      disk_.Run([this, piece = *std::move(ready.incoming_piece), answers = std::move(answers)] {
        TakePiece(piece, answers);
      });
    }
    if (ready.recovered) disk_.Run([this] { ForgetLost(); });
    for (const raft::SnapshotWanted& wanted : ready.snapshots_wanted) {
      house_.Run([this, wanted] { SupplySnapshot(wanted); });
    }
    std::move(ready.committed.begin(), ready.committed.end(), std::back_inserter(to_apply_));
    TakeMessages(std::move(ready.messages), work);
    TakeReads(ready.reads, work);
  }
  if (!to_apply_.empty() && !applying_) {
    applying_ = true;
    apply_.Run([this] { ApplyCommitted(); });
  }
  NoteLeadership(work);
  work.failure = core_->failure();
  return work;
}

void RaftNode::TakeMessages(std::vector<raft::Message> messages, Work& work) {
  for (raft::Message& message : messages) {
    const auto request = requests_.find(message.tag);
    if (message.tag == 0 || request == requests_.end()) {
      if (message.tag == 0) work.messages.push_back(std::move(message));
      continue;
    }
    work.replies.emplace_back(std::move(request->second.reply), std::move(message));
    requests_.erase(request);
  }
}

// Answers to pieces of a snapshot stay back, as do the requests they answer.
std::vector<raft::Message> RaftNode::KeepSnapshotReplies(std::vector<raft::Message>& messages) {
  std::vector<raft::Message> replies;
  std::erase_if(messages, [&](raft::Message& message) {
    if (!std::holds_alternative<raft::SnapshotReply>(message.body)) return false;
    const auto request = requests_.find(message.tag);
    if (request != requests_.end()) request->second.kept = true;
    replies.push_back(std::move(message));
    return true;
  });
  return replies;
}

void RaftNode::TakeReads(const std::vector<raft::ReadGrant>& grants, Work& work) {
  for (const raft::ReadGrant& grant : grants) {
    const auto read = reads_.find(grant.id);
    if (read == reads_.end()) continue;
    work.reads.emplace_back(std::move(read->second), grant.granted);
    reads_.erase(read);
  }
}

void RaftNode::NoteLeadership(Work& work) {
  if (core_->membership() != members_) {
    members_ = core_->membership();
    work.members = members_;
    LOG_INFO("metaserver group is now {}", ToString(members_));
  }
  const Term leading = core_->LeadingTerm();
  if (leading == leading_term_) return;
  if (leading != Term()) LOG_INFO("elected leader term={}", leading);
  if (leading_term_ != Term()) {
    LOG_INFO("leads no more term={}", leading_term_);
    serving_term_ = 0;
    for (Pending& pending : pending_) work.lost.push_back(std::move(pending.done));
    pending_.clear();
    apply_.Run([this] { TellLeadership(); });
  }
  leading_term_ = leading;
}

void RaftNode::Finish(Work work) {
  if (work.members) transport_.SetMembers(*work.members);
  for (raft::Message& message : work.messages) transport_.Send(std::move(message));
  for (auto& [reply, message] : work.replies) reply(std::move(message));
  for (auto& [done, leads] : work.reads) done(leads);
  for (Done& done : work.lost) {
    done(Fail(ErrorCode::kUnavailable, "leadership was lost while the change was under way"));
  }
  if (!work.failure.ok()) StopBecause(work.failure);
}

Status RaftNode::ProposeMembership(raft::Members voters, raft::Members learners) {
  Work work;
  Status status(ErrorCode::kNotLeader, "this metaserver is in no group");
  {
    absl::MutexLock lock(&mu_);
    if (core_ == nullptr || stopping_ || !failure_.ok()) return status;
    status =
        internal::StatusOf(core_->ProposeMembership(std::move(voters), std::move(learners), Now()));
    work = Collect();
  }
  Finish(std::move(work));
  return status;
}

Status RaftNode::TransferLeadership(ServerId target) {
  Work work;
  Status status(ErrorCode::kNotLeader, "this metaserver is in no group");
  {
    absl::MutexLock lock(&mu_);
    if (core_ == nullptr || stopping_ || !failure_.ok()) return status;
    status = core_->TransferLeadership(target, Now());
    work = Collect();
  }
  Finish(std::move(work));
  return status;
}

RaftNodeStatus RaftNode::Describe() const {
  RaftNodeStatus status;
  absl::MutexLock lock(&mu_);
  status.applied = LogIndex(applied_.load());
  status.self = self_;
  status.in_group = core_ != nullptr;
  if (core_ == nullptr) return status;
  status.core = core_->Describe();
  status.leader_silence = core_->LeaderSilence(Now());
  if (status.core.recovering)
    status.trouble = "its log was damaged; lost entries are being fetched";
  if (stranger_since_ && Now() - *stranger_since_ < kStrangerFor) {
    status.trouble = "it was removed from the group";
  }
  if (!failure_.ok()) status.trouble = failure_.message();
  return status;
}

}  // namespace cairn

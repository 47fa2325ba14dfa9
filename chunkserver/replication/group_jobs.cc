#include "chunkserver/replication/group_jobs.h"

#include <algorithm>
#include <list>
#include <set>

#include "chunkserver/replication/seeded_bug.h"
#include "common/logging.h"

namespace cairn {
namespace {
constexpr Duration kSendsWait = std::chrono::seconds(10);
constexpr Duration kAnnounceRetry = std::chrono::milliseconds(50);
// How long other members are waited for before a block is adopted that one of them may have: they
// may be starting too, after all servers were killed at once.
constexpr Duration kHealPatience = std::chrono::seconds(3);
constexpr auto kFirstRetry = std::chrono::milliseconds(10);
constexpr auto kLastRetry = std::chrono::milliseconds(1000);

bool OutcomeIsUnknown(const Status& status) {
  return status.code() == ErrorCode::kUnavailable ||
         status.code() == ErrorCode::kDeadlineExceeded || status.code() == ErrorCode::kCancelled ||
         status.code() == ErrorCode::kNotLeader;
}

// Its map is behind or ahead, or it is still busy with something older: no fault.
bool IsOnlyLate(ErrorCode code) {
  return code == ErrorCode::kStaleEpoch || code == ErrorCode::kNotPrimary ||
         code == ErrorCode::kBusy;
}
}  // namespace

void GroupJobs::GroupChanged(PgId group) {
  {
    absl::MutexLock lock(&mu_);
    Job& job = jobs_[group];
    job.again = true;
    job.failures = 0;
    if (job.running) return;
    job.running = true;
  }
  Schedule(group, Duration::zero());
}

void GroupJobs::Schedule(PgId group, Duration delay) {
  if (context_.primaries.IsReady(group)) {
    context_.background.RunAfter(delay, [this, group] { Run(group, Phase::kCatchUp); });
  } else {
    context_.takeovers.RunAfter(delay, [this, group] { Run(group, Phase::kTakeOver); });
  }
}

void GroupJobs::RunAgain(PgId group) {
  absl::MutexLock lock(&mu_);
  Job& job = jobs_[group];
  job.again = true;
  job.failures = 0;
  job.healing_since.reset();
}

void GroupJobs::Run(PgId group, Phase phase) {
  {
    absl::MutexLock lock(&mu_);
    jobs_[group].again = false;
  }
  const Status status = Work(group, phase);
  Duration delay = Duration::zero();
  {
    absl::MutexLock lock(&mu_);
    Job& job = jobs_[group];
    if (status.ok() && !job.again) {
      jobs_.erase(group);
      return;
    }
    if (!status.ok()) {
      delay = std::min<Duration>(kFirstRetry * (1 << std::min(job.failures, 8)), kLastRetry);
      ++job.failures;
    }
  }
  if (!status.ok()) {
    LOG_DEBUG("group job will be tried again pg={} reason={}", group, status);
    if (status.code() == ErrorCode::kStaleEpoch) context_.table.WantRefresh();
  }
  Schedule(group, delay);
}

Status GroupJobs::Work(PgId group, Phase phase) {
  const Standing standing = context_.table.Current(group);
  if (standing.group == nullptr || standing.role != OwnRole::kPrimary) return OkStatus();
  RETURN_IF_ERROR(context_.table.CheckLease());
  const bool ready = context_.primaries.IsReady(group);
  if (phase == Phase::kTakeOver && !ready) RETURN_IF_ERROR(TakeOver(standing));
  if (phase == Phase::kTakeOver || !ready) {
    RunAgain(group);  // on the threads for what comes next
    return OkStatus();
  }
  Status result;
  for (const ServerId member : standing.group->Syncing()) {
    const Status status = CatchUp(standing, member);
    // Each success is a new epoch; the change brings this job back for the next member.
    if (status.ok()) return OkStatus();
    result = status;
  }
  return result;
}

Status GroupJobs::Heal(const Group& group) {
  const std::vector<ChunkId> suspects = context_.store.Suspects(group.id);
  if (suspects.empty()) return OkStatus();
  bool patient = true;
  {
    absl::MutexLock lock(&mu_);
    std::optional<BootTime>& since = jobs_[group.id].healing_since;
    if (!since.has_value()) since = clock_.Now();
    patient = clock_.Now() - *since < kHealPatience;
  }
  std::set<ServerId> hung;
  for (const ChunkId id : suspects) {
    RETURN_IF_ERROR(repair_.HealSuspects(group, id, patient, hung));
  }
  return OkStatus();
}

Status GroupJobs::TakeOver(const Standing& standing) {
  const Group& group = *standing.group;
  if (ReplicationBugIs(ReplicationBug::kTakeOverWithoutLook)) {
    context_.primaries.SetReady(group.id, group.epoch);
    return OkStatus();
  }
  if (!context_.barrier.WaitForOlder(group.id, group.epoch,
                                     Deadline::After(EpochBarrier::kPatience))) {
    return Status::Error(ErrorCode::kBusy, "operations of an older epoch are under way");
  }
  RETURN_IF_ERROR(Heal(group));
  std::list<MemberComparer> comparers;
  // First what only one of them has comes here, so that all of them get it.
  for (const ServerId member : group.Active(context_.table.self())) {
    MemberComparer& comparer =
        comparers.emplace_back(context_, repair_, standing.group, member, nullptr);
    RETURN_IF_ERROR(Judged(group, comparer, internal::StatusOf(Begin(comparer))));
    RETURN_IF_ERROR(Judged(group, comparer, comparer.FetchMissing()));
  }
  uint64_t copied = 0;
  for (MemberComparer& comparer : comparers) {
    RETURN_IF_ERROR(Judged(group, comparer, comparer.CompareAll()));
    context_.faults.Answered(group.id, comparer.member());
    copied += comparer.copied_bytes();
  }
  context_.primaries.SetReady(group.id, group.epoch);
  LOG_INFO("primary of a group, copies are equal pg={} epoch={} copied_bytes={}", group.id,
           group.epoch, copied);
  return OkStatus();
}

Result<Incarnation> GroupJobs::Begin(MemberComparer& comparer) {
  const ServerId member = comparer.member();
  const bool unreachable = context_.faults.IsUnreachable(member);
  bool probing = false;
  {
    absl::MutexLock lock(&mu_);
    Probe& probe = probes_[member];
    if (unreachable || probe.silent) {
      if (probe.under_way) {
        return Fail(ErrorCode::kUnavailable, "server {} does not answer others", member);
      }
      probing = probe.under_way = true;
    }
  }
  Result<Incarnation> incarnation = comparer.Begin();
  absl::MutexLock lock(&mu_);
  Probe& probe = probes_[member];
  probe.silent = !incarnation.has_value() && OutcomeIsUnknown(incarnation.error());
  if (probing) probe.under_way = false;
  return incarnation;
}

Status GroupJobs::Judged(const Group& group, const MemberComparer& comparer, Status status) {
  const Status& answer = comparer.member_answer();
  if (!status.ok() && !answer.ok() && !IsOnlyLate(answer.code())) {
    context_.faults.Failed(group.id, group.epoch, comparer.member(), answer);
  }
  return status;
}

Status GroupJobs::CatchUp(const Standing& standing, ServerId member) {
  MemberComparer comparer(context_, repair_, standing.group, member, nullptr);
  ASSIGN_OR_RETURN(const Incarnation incarnation, Begin(comparer));
  // It is back: writes need not take the detour for servers that cannot be reached.
  context_.faults.Answered(standing.group->id, member);
  const std::shared_ptr<Attachment> attachment = context_.primaries.Attach(*standing.group, member);
  if (attachment == nullptr) return Status::Error(ErrorCode::kStaleEpoch, "the group moved on");
  MemberComparer attached(context_, repair_, standing.group, member, attachment);
  Status status = attached.CompareAll();
  if (status.ok()) status = FinishCatchUp(*standing.group, attached, *attachment, incarnation);
  if (!status.ok()) {
    context_.primaries.Detach(standing.group->id, *attachment);
    // Writes that waited for this member need not any more.
    writes_.GroupChanged(standing.group->id);
    return status;
  }
  LOG_INFO("member is up to date pg={} server={} copied_bytes={}", standing.group->id, member,
           attached.copied_bytes());
  return OkStatus();
}

Status GroupJobs::FinishCatchUp(const Group& group, MemberComparer& comparer,
                                Attachment& attachment, Incarnation incarnation) {
  while (!attachment.Pledge()) {
    if (attachment.failed()) {
      return Status::Error(ErrorCode::kUnavailable, "a write to server {} failed during catch-up",
                           attachment.member());
    }
    if (const std::optional<ChunkId> missed = attachment.NextMissed(); missed.has_value()) {
      RETURN_IF_ERROR(comparer.CompareNow(*missed));
    }
  }
  if (!attachment.AwaitSends(Deadline::After(kSendsWait))) {
    return Status::Error(ErrorCode::kUnavailable, "server {} did not answer the writes before it",
                         attachment.member());
  }
  RETURN_IF_ERROR(comparer.Finish(incarnation));
  return Announce(group, attachment.member(), incarnation);
}

Status GroupJobs::Announce(const Group& group, ServerId member, Incarnation incarnation) {
  const auto moved_on = [&] {
    return context_.table.Current(group.id).group->epoch != group.epoch;
  };
  Status status;
  do {
    status = context_.reports.MemberSynced(group.id, group.epoch, member, incarnation);
    if (status.ok()) return status;
  } while (OutcomeIsUnknown(status) && !moved_on() && context_.background.Pause(kAnnounceRetry));
  // An attempt whose answer was lost may have made the member active in an epoch not known here.
  // Until the map says what became of it, every write waits for the member.
  const uint64_t refreshes = context_.table.refreshes();
  while (!moved_on() && context_.table.refreshes() < refreshes + 2) {
    context_.table.WantRefresh();
    if (!context_.background.Pause(kAnnounceRetry)) break;
  }
  return status;
}

}  // namespace cairn

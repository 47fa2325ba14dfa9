#include "chunkserver/replication/group_jobs.h"

#include <algorithm>

#include "common/logging.h"

namespace cairn {
namespace {
constexpr Duration kSendsWait = std::chrono::seconds(10);
constexpr Duration kAnnounceRetry = std::chrono::milliseconds(50);
constexpr auto kFirstRetry = std::chrono::milliseconds(10);
constexpr auto kLastRetry = std::chrono::milliseconds(1000);
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
  if (phase == Phase::kTakeOver && !ready) {
    RETURN_IF_ERROR(takeover_.Run(standing));
    if (!context_.primaries.IsReady(group)) {
      return Status::Error(ErrorCode::kBusy, "the map of group {} is on its way", group);
    }
  }
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

Status GroupJobs::CatchUp(const Standing& standing, ServerId member) {
  MemberComparer comparer(context_, repair_, standing.group, member, nullptr);
  ASSIGN_OR_RETURN(const Incarnation incarnation, probes_.Begin(comparer));
  // It is back: writes need not take the detour for servers that cannot be reached.
  context_.faults.Answered(standing.group->id, member);
  const std::shared_ptr<Attachment> attachment = context_.primaries.Attach(*standing.group, member);
  if (attachment == nullptr) return Status::Error(ErrorCode::kStaleEpoch, "the group moved on");
  MemberComparer attached(context_, repair_, standing.group, member, attachment);
  Status status = attached.Compare(MemberComparer::Scope::kAll);
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

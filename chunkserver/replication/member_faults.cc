#include "chunkserver/replication/member_faults.h"

#include "common/logging.h"

namespace cairn {
namespace {
bool IsUnreachableCode(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kCancelled;
}

// It may yet do what it was asked: its map is behind, a write before this one is on its way, or
// room is being made while no new writes are admitted.
bool MayPass(ErrorCode code) {
  return code == ErrorCode::kStaleEpoch || code == ErrorCode::kNotPrimary ||
         code == ErrorCode::kBusy || code == ErrorCode::kNoSpace;
}
}  // namespace

void MemberFaults::Answered(PgId group, ServerId server) {
  absl::MutexLock lock(&mu_);
  members_[server].unreachable = false;
  failing_.erase({group, server});
}

void MemberFaults::Failed(PgId group, Epoch epoch, ServerId server, const Status& status) {
  const bool unreachable = IsUnreachableCode(status.code());
  const BootTime now = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    Member& member = members_[server];
    member.unreachable = unreachable;
    if (status.code() == ErrorCode::kNoSpace) {
      member.available_bytes = 0;
      member.near_full = true;
      member.space_heard = now;
    }
    Failing& failing = failing_.try_emplace({group, server}, Failing{now, {}}).first->second;
    const bool wait = unreachable || MayPass(status.code());
    if (wait && now - failing.since < kReportAfter) return;
    if (failing.reported.has_value() && now - *failing.reported < kReportEvery) return;
    failing.reported = now;
  }
  LOG_WARN("member does not finish a write, reporting it group={} server={} reason={}", group,
           server, status);
  const v1::MemberFault fault = unreachable ? v1::FAULT_UNREACHABLE : v1::FAULT_ANSWERED_ERROR;
  workers_.Submit([this, group, epoch, server, fault, reason = status.ToString()] {
    reports_.ReportMember(group, epoch, server, fault, reason);
  });
}

bool MemberFaults::IsUnreachable(ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  return found != members_.end() && found->second.unreachable;
}

void MemberFaults::HeardSpace(ServerId server, uint64_t available_bytes, bool near_full) {
  absl::MutexLock lock(&mu_);
  Member& member = members_[server];
  member.available_bytes = available_bytes;
  member.near_full = near_full;
  member.space_heard = clock_.Now();
}

bool MemberFaults::IsFull(ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  return found != members_.end() && found->second.available_bytes == 0;
}

bool MemberFaults::IsNearFull(ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  return found != members_.end() && found->second.near_full;
}

bool MemberFaults::ShouldAskSpace(ServerId server) {
  const BootTime now = clock_.Now();
  absl::MutexLock lock(&mu_);
  Member& member = members_[server];
  if (now - member.space_heard < kAskSpaceEvery) return false;
  member.space_heard = now;
  return true;
}

}  // namespace cairn

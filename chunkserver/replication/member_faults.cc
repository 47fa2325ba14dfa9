#include "chunkserver/replication/member_faults.h"

#include "common/logging.h"

namespace cairn {
namespace {
// Did the member itself say that it cannot, or may it yet?
v1::MemberFault FaultOf(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kNoSpace:
    case ErrorCode::kIoError:
    case ErrorCode::kCorruption:
    case ErrorCode::kDiskFailed:
    case ErrorCode::kInternal:
    case ErrorCode::kUnimplemented:
    case ErrorCode::kInvalidArgument: return v1::FAULT_ANSWERED_ERROR;
    default: return v1::FAULT_UNREACHABLE;
  }
}
}  // namespace

void MemberFaults::Answered(ServerId server) {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  if (found != members_.end()) found->second.failing_since.reset();
}

void MemberFaults::Failed(PgId group, Epoch epoch, ServerId server, const Status& status) {
  const v1::MemberFault fault = FaultOf(status);
  const BootTime now = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    Member& member = members_[server];
    if (!member.failing_since.has_value()) member.failing_since = now;
    if (fault == v1::FAULT_UNREACHABLE && now - *member.failing_since < kReportAfter) return;
    if (member.reported.has_value() && now - *member.reported < kReportEvery) return;
    member.reported = now;
  }
  LOG_WARN("member does not finish a write, reporting it group={} server={} reason={}", group,
           server, status);
  workers_.Submit([this, group, epoch, server, fault, reason = status.ToString()] {
    reports_.ReportMember(group, epoch, server, fault, reason);
  });
}

bool MemberFaults::IsFailing(ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  return found != members_.end() && found->second.failing_since.has_value();
}

void MemberFaults::HeardSpace(ServerId server, uint64_t available_bytes) {
  absl::MutexLock lock(&mu_);
  Member& member = members_[server];
  member.available_bytes = available_bytes;
  member.space_heard = clock_.Now();
}

bool MemberFaults::IsFull(ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = members_.find(server);
  return found != members_.end() && found->second.available_bytes.has_value() &&
         *found->second.available_bytes < kReservedBytes;
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

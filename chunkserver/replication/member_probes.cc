#include "chunkserver/replication/member_probes.h"

namespace cairn {

bool OutcomeIsUnknown(const Status& status) {
  return status.code() == ErrorCode::kUnavailable ||
         status.code() == ErrorCode::kDeadlineExceeded || status.code() == ErrorCode::kCancelled ||
         status.code() == ErrorCode::kNotLeader;
}

Result<Incarnation> MemberProbes::Begin(MemberComparer& comparer) {
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

}  // namespace cairn

#include "chunkserver/replication/takeover.h"

#include <set>
#include <vector>

#include "chunkserver/replication/seeded_bug.h"
#include "common/logging.h"

namespace cairn {
namespace {

using Scope = MemberComparer::Scope;

// How long other members are waited for before a block is adopted that one of them may have: they
// may be starting too, after all servers were killed at once.
constexpr Duration kHealPatience = std::chrono::seconds(3);

// Its map is behind or ahead, or it is still busy with something older: no fault.
bool IsOnlyLate(ErrorCode code) {
  return code == ErrorCode::kStaleEpoch || code == ErrorCode::kNotPrimary ||
         code == ErrorCode::kBusy;
}

}  // namespace

Status Takeover::Run(const Standing& standing) {
  const GroupPtr& group = standing.group;
  if (!context_.primaries.IsEqual(group->id)) RETURN_IF_ERROR(Equalize(standing));
  if (!group->activated) RETURN_IF_ERROR(Activate(group));
  return OkStatus();
}

Status Takeover::Equalize(const Standing& standing) {
  const Group& group = *standing.group;
  if (ReplicationBugIs(ReplicationBug::kTakeOverWithoutLook)) {
    context_.primaries.SetEqual(group.id, group.epoch);
    return OkStatus();
  }
  if (!context_.barrier.WaitForOlder(group.id, group.epoch,
                                     Deadline::After(EpochBarrier::kPatience))) {
    return Status::Error(ErrorCode::kBusy, "operations of an older epoch are under way");
  }
  RETURN_IF_ERROR(Heal(group));
  std::list<MemberComparer> comparers;
  for (const ServerId member : group.Active(context_.table.self())) {
    MemberComparer& comparer =
        comparers.emplace_back(context_, repair_, standing.group, member, nullptr);
    RETURN_IF_ERROR(Judged(group, comparer, internal::StatusOf(probes_.Begin(comparer))));
  }
  ASSIGN_OR_RETURN(const bool equal, EqualizeScope(group, comparers, Scope::kUnsealed));
  if (!equal) RETURN_IF_ERROR(EqualizeScope(group, comparers, Scope::kAll));
  uint64_t copied = 0;
  for (const MemberComparer& comparer : comparers) {
    context_.faults.Answered(group.id, comparer.member());
    copied += comparer.copied_bytes();
  }
  context_.primaries.SetEqual(group.id, group.epoch);
  LOG_INFO("primary of a group, copies are equal pg={} epoch={} copied_bytes={} whole={}", group.id,
           group.epoch, copied, !equal);
  return OkStatus();
}

Result<bool> Takeover::EqualizeScope(const Group& group, std::list<MemberComparer>& comparers,
                                     Scope scope) {
  // First what only one of them has comes here, so that all of them get it.
  for (MemberComparer& comparer : comparers) {
    RETURN_IF_ERROR(Judged(group, comparer, comparer.FetchMissing(scope)));
  }
  bool equal = true;
  for (MemberComparer& comparer : comparers) {
    RETURN_IF_ERROR(Judged(group, comparer, comparer.Compare(scope)));
    const Result<bool> sums = comparer.SumsAreEqual();
    RETURN_IF_ERROR(Judged(group, comparer, internal::StatusOf(sums)));
    equal = equal && *sums;
  }
  return equal;
}

bool Takeover::IsPatient(const Group& group) {
  const BootTime now = clock_.Now();
  absl::MutexLock lock(&mu_);
  auto& [epoch, since] = healing_since_.try_emplace(group.id, group.epoch, now).first->second;
  if (epoch != group.epoch) since = now;
  epoch = group.epoch;
  return now - since < kHealPatience;
}

Status Takeover::Heal(const Group& group) {
  const std::vector<ChunkId> suspects = context_.store.Suspects(group.id);
  std::set<ServerId> hung;
  for (const ChunkId id : suspects) {
    RETURN_IF_ERROR(repair_.HealSuspects(group, id, IsPatient(group), hung));
  }
  absl::MutexLock lock(&mu_);
  healing_since_.erase(group.id);
  return OkStatus();
}

Status Takeover::Activate(const GroupPtr& group) {
  std::vector<ServerId> heard;
  for (const ServerId member : group->Leaving()) {
    MemberComparer comparer(context_, repair_, group, member, nullptr);
    if (comparer.MakeHear().ok()) heard.push_back(member);
  }
  return context_.reports.ActivateGroup(group->id, group->epoch, heard);
}

Status Takeover::Judged(const Group& group, const MemberComparer& comparer, Status status) {
  const Status& answer = comparer.member_answer();
  if (!status.ok() && !answer.ok() && !IsOnlyLate(answer.code())) {
    context_.faults.Failed(group.id, group.epoch, comparer.member(), answer);
  }
  return status;
}

}  // namespace cairn

#include "metaserver/placement/plan_loss.h"

#include <algorithm>

#include "metaserver/placement/group_row.h"

namespace cairn {
namespace {

using Members = google::protobuf::RepeatedPtrField<v1::Member>;

bool Erase(Members& members, ServerId server) {
  const auto is_server = [&](const v1::Member& member) { return member.server() == server.value; };
  const auto found = std::find_if(members.begin(), members.end(), is_server);
  if (found == members.end()) return false;
  members.erase(found);
  return true;
}

GroupLoss LossOf(const v1::PlacementGroup& group) {
  if (PrimaryOf(group) != nullptr) return GroupLoss::kNone;
  return group.activated().empty() ? GroupLoss::kLost : GroupLoss::kDoubted;
}

}  // namespace

std::optional<LossPlan> PlanLoss(const v1::PlacementGroup& group, ServerId gone) {
  LossPlan plan{group};
  const bool was_member = Erase(*plan.next.mutable_members(), gone);
  BeginEpoch(group, plan.next);
  const bool was_activated = Erase(*plan.next.mutable_activated(), gone);
  if (!was_member && !was_activated) return std::nullopt;
  if (group.lost()) return plan;
  plan.loss = LossOf(plan.next);
  plan.next.set_lost(plan.loss == GroupLoss::kLost);
  return plan;
}

}  // namespace cairn

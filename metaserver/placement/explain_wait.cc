#include "metaserver/placement/explain_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace cairn {
namespace {

using Presence = ServerView::Presence;

const PlacementTarget* FindTarget(const ClusterShape& shape, uint32_t server) {
  const auto found = shape.targets.find(ServerId(server));
  return found == shape.targets.end() ? nullptr : &found->second;
}

// As ChunkserverDisks::NameOf.
std::string NameOf(const ClusterShape& shape, const PlacementTarget& server) {
  const auto same = [&](const auto& other) {
    return other.first != server.id && other.second.chunkserver == server.chunkserver;
  };
  const bool alone = server.chunkserver == ServerId() ||
                     std::none_of(shape.targets.begin(), shape.targets.end(), same);
  if (alone) return fmt::format("chunkserver {}", server.id);
  return fmt::format("disk {} of chunkserver {}", server.id, server.chunkserver);
}

// Somebody who is away and still counts.
std::string ExplainAbsence(const ClusterShape& shape, const v1::PlacementGroup& group,
                           bool last_copy, const MovePolicy& policy) {
  for (const v1::Member& member : group.members()) {
    const PlacementTarget* target = FindTarget(shape, member.server());
    if (target == nullptr || target->view.presence == Presence::kAlive) continue;
    if (!CountsAsCopy(member, *target, last_copy, policy)) continue;
    if (target->in_maintenance) {
      return NameOf(shape, *target) + " is in maintenance";
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(policy.grace - target->silence);
    return fmt::format("{} may be back within {} s of grace", NameOf(shape, *target),
                       left.count() + 1);
  }
  return "";
}

// What the servers without a copy could do.
std::string ExplainTargets(const ClusterShape& shape, const v1::PlacementGroup& group,
                           uint32_t wanted, const MovePolicy& policy) {
  uint32_t in_service = 0;
  uint32_t free_but_full = 0;
  for (const auto& [id, target] : shape.targets) {
    const bool there =
        target.view.presence == Presence::kAlive && !target.draining && !target.in_maintenance;
    if (!there) continue;
    ++in_service;
    if (FindMember(group, id) != nullptr) continue;
    if (MayTakeGroups(target, policy)) return "it waits for its turn";
    ++free_but_full;
  }
  if (free_but_full > 0) {
    return fmt::format("the {} chunkservers without a copy are too full", free_but_full);
  }
  return fmt::format("{} copies need {} chunkservers, {} of {} are in service", wanted, wanted,
                     in_service, shape.targets.size());
}

}  // namespace

GroupCopies CountCopies(const ClusterShape& shape, const v1::PlacementGroup& group) {
  GroupCopies copies;
  copies.group = &group;
  const auto pool = shape.pools->find(PoolId(group.pool()));
  const bool repairable = pool != shape.pools->end() && !group.lost();
  copies.wanted = repairable ? pool->second.copies() : 0;
  const auto size = shape.sizes.find(PgId(group.id()));
  if (size != shape.sizes.end()) copies.bytes = size->second.bytes;
  for (const v1::Member& member : group.members()) {
    const PlacementTarget* target = FindTarget(shape, member.server());
    if (target == nullptr || !MayServe(member, target->view)) continue;
    ++copies.serving;
    copies.staying += target->draining ? 0 : 1;
  }
  return copies;
}

std::string ExplainWait(const ClusterShape& shape, const v1::PlacementGroup& group,
                        const MovePolicy& policy) {
  const GroupCopies copies = CountCopies(shape, group);
  if (copies.serving == 0) return "no copy is up";
  for (const v1::Member& member : group.members()) {
    const PlacementTarget* target = FindTarget(shape, member.server());
    const bool coming = member.state() == v1::MEMBER_SYNCING && target != nullptr &&
                        target->view.presence == Presence::kAlive;
    if (coming) return "";
  }
  const bool last_copy = IsLastCopy(copies.serving, copies.wanted);
  const std::string absence = ExplainAbsence(shape, group, last_copy, policy);
  return absence.empty() ? ExplainTargets(shape, group, copies.wanted, policy) : absence;
}

}  // namespace cairn

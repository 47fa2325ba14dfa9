#include "metaserver/placement/target_loads.h"

#include <algorithm>

namespace cairn {
namespace {

// One nearer pair outweighs as many farther ones as a group has members.
constexpr int kSameChunkserver = 10000;
constexpr int kSameHost = 100;
constexpr int kSameRack = 1;

int NearnessOf(const PlacementTarget& a, const PlacementTarget& b) {
  if (a.chunkserver != ServerId() && a.chunkserver == b.chunkserver) return kSameChunkserver;
  if (!a.host.empty() && a.host == b.host) return kSameHost;
  return !a.rack.empty() && a.rack == b.rack ? kSameRack : 0;
}

// Its place is about to be free: nobody need keep away from it.
bool IsOnItsWayOut(const PlacementTarget& target) {
  const bool gone = target.view.presence == ServerView::Presence::kGone;
  return target.draining || (gone && !target.in_maintenance);
}

// Bytes of an average server; 0 when no size is known.
double AverageBytes(const ClusterShape& shape) {
  double sum = 0;
  int known = 0;
  for (const auto& [id, target] : shape.targets) {
    if (target.total_bytes == 0) continue;
    sum += static_cast<double>(target.total_bytes);
    ++known;
  }
  return known == 0 ? 0 : sum / known;
}

}  // namespace

TargetLoads::TargetLoads(const ClusterShape& shape) : shape_(shape) {
  const double average = AverageBytes(shape);
  for (const auto& [id, target] : shape.targets) {
    if (target.total_bytes == 0) continue;
    weights_[id] = static_cast<double>(target.total_bytes) / average;
  }
  for (const auto& [id, group] : *shape.groups) {
    const PoolId pool(group.pool());
    for (const v1::Member& member : group.members()) {
      if (member.state() != v1::MEMBER_LEAVING) Add(pool, ServerId(member.server()));
    }
    if (const v1::Member* primary = PrimaryOf(group)) {
      ++loads_[{pool, ServerId(primary->server())}].primaries;
    }
  }
}

TargetLoads::Load TargetLoads::Find(PoolId pool, ServerId server) const {
  const auto found = loads_.find({pool, server});
  return found == loads_.end() ? Load() : found->second;
}

double TargetLoads::WeightOf(ServerId server) const {
  const auto found = weights_.find(server);
  return found == weights_.end() ? 1 : found->second;
}

double TargetLoads::LoadOf(PoolId pool, ServerId server) const {
  return Find(pool, server).memberships / WeightOf(server);
}

int TargetLoads::PrimariesOf(PoolId pool, ServerId server) const {
  return Find(pool, server).primaries;
}

void TargetLoads::MovePrimary(PoolId pool, ServerId from, ServerId to) {
  --loads_[{pool, from}].primaries;
  ++loads_[{pool, to}].primaries;
}

int TargetLoads::NeighboursWithout(const v1::PlacementGroup& group, const PlacementTarget& target,
                                   ServerId left_out) const {
  int neighbours = 0;
  for (const v1::Member& member : group.members()) {
    const ServerId server(member.server());
    const auto other = shape_.targets.find(server);
    if (server == target.id || server == left_out || other == shape_.targets.end()) continue;
    if (member.state() == v1::MEMBER_LEAVING || IsOnItsWayOut(other->second)) continue;
    neighbours += NearnessOf(target, other->second);
  }
  return neighbours;
}

int TargetLoads::Neighbours(const v1::PlacementGroup& group, const PlacementTarget& target) const {
  return NeighboursWithout(group, target, ServerId(0));
}

bool TargetLoads::MoveImproves(const v1::PlacementGroup& group, ServerId from, ServerId to) const {
  const int near_before = NeighboursWithout(group, shape_.targets.at(from), to);
  const int near_after = NeighboursWithout(group, shape_.targets.at(to), from);
  if (near_after != near_before) return near_after < near_before;
  const PoolId pool(group.pool());
  return (Find(pool, to).memberships + 1) / WeightOf(to) <=
         (Find(pool, from).memberships - 1) / WeightOf(from);
}

}  // namespace cairn

// How loaded each server is with memberships of each pool, weighed by its size, and who is whose
// neighbour. Every pool is spread by itself: its groups are alike, those of two pools are not, and
// data that one server has all of would not be helped by empty groups elsewhere. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "metaserver/placement/plan_moves.h"

namespace cairn {

// Confined to one plan.
class TargetLoads {
 public:
  explicit TargetLoads(const ClusterShape& shape);

  // Memberships per share of the cluster's capacity; servers of unknown size count as average.
  double LoadOf(PoolId pool, ServerId server) const;
  int PrimariesOf(PoolId pool, ServerId server) const;
  // How close the target is to the other members of the group that stay: one for each on the same
  // rack, more than all of those for each on the same host, and more than all of these for each in
  // the same process. Who drains or is gone does not stay.
  int Neighbours(const v1::PlacementGroup& group, const PlacementTarget& target) const;
  // Would the loads, or the distances inside the group, be more even with `to` in place of `from`?
  bool MoveImproves(const v1::PlacementGroup& group, ServerId from, ServerId to) const;

  void Add(PoolId pool, ServerId server) { ++loads_[{pool, server}].memberships; }
  void MovePrimary(PoolId pool, ServerId from, ServerId to);

 private:
  struct Load {
    int memberships = 0;
    int primaries = 0;
  };
  Load Find(PoolId pool, ServerId server) const;
  double WeightOf(ServerId server) const;
  int NeighboursWithout(const v1::PlacementGroup& group, const PlacementTarget& target,
                        ServerId left_out) const;

  const ClusterShape& shape_;
  std::map<ServerId, double> weights_;  // 1 for an average server, and where there is none
  std::map<std::pair<PoolId, ServerId>, Load> loads_;
};

}  // namespace cairn

// How loaded each server is with memberships, weighed by its size, and who is whose neighbour. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "metaserver/placement/plan_moves.h"

namespace cairn {

// Confined to one plan.
class TargetLoads {
 public:
  explicit TargetLoads(const ClusterShape& shape);

  // Memberships per share of the cluster's capacity; servers of unknown size count as average.
  double LoadOf(ServerId server) const;
  int PrimariesOf(ServerId server) const;
  // How close the target is to the other members of the group: one for each on the same rack, and
  // more than all of those for each on the same host.
  int Neighbours(const v1::PlacementGroup& group, const PlacementTarget& target) const;
  // Would the loads, or the distances inside the group, be more even with `to` in place of `from`?
  bool MoveImproves(const v1::PlacementGroup& group, ServerId from, ServerId to) const;

  void Add(ServerId server) { ++loads_[server].memberships; }
  void MovePrimary(ServerId from, ServerId to);

 private:
  struct Load {
    double weight = 1;
    int memberships = 0;
    int primaries = 0;
  };
  const Load& Find(ServerId server) const;
  int NeighboursWithout(const v1::PlacementGroup& group, const PlacementTarget& target,
                        ServerId left_out) const;

  const ClusterShape& shape_;
  std::map<ServerId, Load> loads_;
};

}  // namespace cairn

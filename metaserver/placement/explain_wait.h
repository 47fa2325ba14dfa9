// Why a group lacks a copy and nobody makes one, in words for an operator. Pure.
#pragma once

#include <string>

#include "metaserver/placement/plan_moves.h"

namespace cairn {

// One group's copies.
struct GroupCopies {
  const v1::PlacementGroup* group = nullptr;
  uint32_t wanted = 0;
  uint32_t serving = 0;  // members that may serve
  uint32_t staying = 0;  // of those, on servers that are not drained
  uint64_t bytes = 0;    // as its primary last said
};
GroupCopies CountCopies(const ClusterShape& shape, const v1::PlacementGroup& group);

// Empty when a copy is on its way. REQUIRES: the group lacks a copy.
std::string ExplainWait(const ClusterShape& shape, const v1::PlacementGroup& group,
                        const MovePolicy& policy);

}  // namespace cairn

// What becomes of a placement group when servers fall silent, restart or come back. The truth table
// is in README.md beside this file. Pure: the same input gives the same plan (rules C2, C3).
#pragma once

#include <optional>

#include "cairn/v1/common.pb.h"
#include "common/ids.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

// The group's next state, with its epoch one higher; nullopt when it stays as it is. Planning the
// result again with the same views gives nullopt.
std::optional<v1::PlacementGroup> PlanMembers(const v1::PlacementGroup& group,
                                              const ServerViews& views);

// The group with `member` active as this incarnation (rule C4: its data is on disk); epoch + 1.
// REQUIRES: `member` is a syncing member of the group.
v1::PlacementGroup PlanActivation(const v1::PlacementGroup& group, ServerId member,
                                  const ServerView& view);

}  // namespace cairn

// What is wrong with the group of metaservers. One alone cannot tell: it is judged from what
// all of them say. Pure.
#pragma once

#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/group_view.h"

namespace cairn {

// META_UNBORN, META_NO_LEADER, META_NO_QUORUM (errors), META_DOWN and META_BEHIND (warnings).
std::vector<v1::HealthItem> DiagnoseMetaservers(const GroupView& group);

}  // namespace cairn

// What becomes of a placement group when one of its servers is given up for good (rule C3: going on
// without somebody is an operator's act). Pure.
#pragma once

#include <optional>

#include "cairn/v1/common.pb.h"
#include "common/ids.h"

namespace cairn {

enum class GroupLoss {
  kNone,     // others have everything; or it was no member
  kDoubted,  // it goes on from others that were active with it, once they are back (PlanMembers)
  kLost,     // nobody is left of those that had all that was acknowledged
};

struct LossPlan {
  v1::PlacementGroup next;  // without the server, epoch + 1
  GroupLoss loss = GroupLoss::kNone;
};

// nullopt: the row does not name the server. A lost group keeps what members it has, so that their
// copies, which lack something or may, are not deleted; it has none that is active, ever.
// REQUIRES: the server's lease has run out.
std::optional<LossPlan> PlanLoss(const v1::PlacementGroup& group, ServerId gone);

}  // namespace cairn

// What every placement group must satisfy, whoever planned it.
#pragma once

#include "cairn/v1/common.pb.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

inline constexpr int kMaxMembers = 16;

// kInvalidArgument: no members or too many, one twice, a member without a state, an active one
// without an incarnation, or power lost in an epoch to come; kNotFound: a server that never joined.
Status CheckMembers(const v1::PlacementGroup& group, const MetadataTransaction& txn);

}  // namespace cairn

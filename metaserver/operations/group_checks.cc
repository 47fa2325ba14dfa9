#include "metaserver/operations/group_checks.h"

#include <set>

namespace cairn {

namespace {

Status CheckState(const v1::Member& member) {
  switch (member.state()) {
    case v1::MEMBER_ACTIVE:
      if (member.incarnation() != 0) return OkStatus();
      return Status::Error(ErrorCode::kInvalidArgument, "member {} is active without incarnation",
                           member.server());
    case v1::MEMBER_SYNCING:
    case v1::MEMBER_LEAVING:
      return OkStatus();
    default:
      return Status::Error(ErrorCode::kInvalidArgument, "member {} has no state", member.server());
  }
}

}  // namespace

Status CheckMembers(const v1::PlacementGroup& group, const MetadataTransaction& txn) {
  if (group.members().empty() || group.members_size() > kMaxMembers) {
    return Status::Error(ErrorCode::kInvalidArgument, "a group of {} members",
                         group.members_size());
  }
  if (group.power_lost_epoch() > group.epoch()) {
    return Status::Error(ErrorCode::kInvalidArgument, "power lost in epoch {}, it is {} now",
                         group.power_lost_epoch(), group.epoch());
  }
  std::set<uint32_t> seen;
  for (const v1::Member& member : group.members()) {
    RETURN_IF_ERROR(CheckState(member));
    if (!seen.insert(member.server()).second) {
      return Status::Error(ErrorCode::kInvalidArgument, "member {} is named twice",
                           member.server());
    }
    ASSIGN_OR_RETURN(auto row, txn.Get(schema::ServerKey(ServerId(member.server()))));
    if (!row) return Status::Error(ErrorCode::kNotFound, "server {}", member.server());
  }
  return OkStatus();
}

}  // namespace cairn

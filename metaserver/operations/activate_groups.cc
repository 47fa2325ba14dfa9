#include "metaserver/operations/operations.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

// Rule C3: from here on what the primary answers in this epoch counts. A group that has moved on is
// left alone; asking again is ok.
Result<v1::Outcome> ActivateGroups(const v1::Command& command, MetadataTransaction& txn) {
  const uint64_t version = txn.state().map_version() + 1;
  for (const auto& named : command.activate_groups().groups()) {
    const std::string key = schema::GroupKey(PgId(named.group()));
    ASSIGN_OR_RETURN(auto group, LoadRow<v1::PlacementGroup>(txn, key));
    if (!group) return Fail(ErrorCode::kNotFound, "placement group {}", named.group());
    if (group->epoch() != named.epoch() || IsActivated(*group)) continue;
    Activate(*group);
    group->set_changed_at(version);
    txn.Put(key, *group);
    txn.mutable_state().set_map_version(version);
  }
  return v1::Outcome();
}

}  // namespace cairn

#include "metaserver/operations/group_checks.h"
#include "metaserver/operations/operations.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

// A plan is made from a view; a group that changed since keeps what it has.
Result<v1::Outcome> UpdateGroups(const v1::Command& command, MetadataTransaction& txn) {
  v1::Outcome outcome;
  const uint64_t version = txn.state().map_version() + 1;
  for (v1::PlacementGroup group : command.update_groups().groups()) {
    const std::string key = schema::GroupKey(PgId(group.id()));
    ASSIGN_OR_RETURN(auto stored, LoadRow<v1::PlacementGroup>(txn, key));
    if (!stored) return Fail(ErrorCode::kNotFound, "placement group {}", group.id());
    RETURN_IF_ERROR(CheckMembers(group, txn));
    if (stored->epoch() + 1 != group.epoch()) {
      *outcome.add_conflicts() = *std::move(stored);
      continue;
    }
    // The epoch may have been activated since the plan was made (rule C3). What the row knows of a
    // loss of power stays, whatever the plan says.
    BeginEpoch(*stored, group);
    group.set_pool(stored->pool());
    group.set_changed_at(version);
    txn.Put(key, group);
    txn.mutable_state().set_map_version(version);
  }
  return outcome;
}

}  // namespace cairn

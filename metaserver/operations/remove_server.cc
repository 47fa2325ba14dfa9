#include "metaserver/operations/operations.h"

namespace cairn {
namespace {

bool Names(const v1::PlacementGroup& group, uint32_t server) {
  for (const v1::Member& member : group.members()) {
    if (member.server() == server) return true;
  }
  for (const v1::Member& member : group.activated()) {
    if (member.server() == server) return true;
  }
  return false;
}

}  // namespace

// The proposer has looked; what it saw may have changed since.
Result<v1::Outcome> RemoveServer(const v1::Command& command, MetadataTransaction& txn) {
  const uint32_t id = command.remove_server().server();
  const std::string key = schema::ServerKey(ServerId(id));
  ASSIGN_OR_RETURN(const auto server, LoadRow<v1::ServerRecord>(txn, key));
  if (!server) return Fail(ErrorCode::kNotFound, "there is no server {}", id);
  uint32_t memberships = 0;
  for (uint32_t number = 1; number < txn.state().next_group(); ++number) {
    ASSIGN_OR_RETURN(const auto group,
                     LoadRow<v1::PlacementGroup>(txn, schema::GroupKey(PgId(number))));
    if (group && Names(*group, id)) ++memberships;
  }
  if (memberships > 0) {
    return Fail(ErrorCode::kNotEmpty, "server {} holds copies of {} placement groups", id,
                memberships);
  }
  txn.Erase(key);
  txn.Erase(schema::DiskKey(server->disk_uuid()));
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn

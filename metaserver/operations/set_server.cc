#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> SetServer(const v1::Command& command, MetadataTransaction& txn) {
  const v1::SetServerCommand& set = command.set_server();
  const std::string key = schema::ServerKey(ServerId(set.server()));
  ASSIGN_OR_RETURN(auto server, LoadRow<v1::ServerRecord>(txn, key));
  if (!server) return Fail(ErrorCode::kNotFound, "there is no server {}", set.server());
  if (!v1::ServerState_IsValid(set.state())) {
    return Fail(ErrorCode::kInvalidArgument, "server state {}", static_cast<int>(set.state()));
  }
  server->set_state(set.state());
  server->clear_maintenance_until();
  if (set.state() == v1::SERVER_MAINTENANCE) {
    *server->mutable_maintenance_until() = set.maintenance_until();
  }
  txn.Put(key, *server);
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn

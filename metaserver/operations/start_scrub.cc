#include <string_view>
#include <utility>
#include <vector>

#include "metaserver/operations/operations.h"
#include "metaserver/store/scan_rows.h"

namespace cairn {

Result<v1::Outcome> StartScrub(const v1::Command& command, MetadataTransaction& txn) {
  const uint32_t wanted = command.start_scrub().server();
  std::vector<v1::ServerRecord> servers;
  RETURN_IF_ERROR(ScanRows<v1::ServerRecord>(
      txn, schema::kServerPrefix, schema::kServerPrefix,
      [&](std::string_view, v1::ServerRecord server) {
        if (wanted == 0 || server.id() == wanted) servers.push_back(std::move(server));
        return true;
      }));
  if (servers.empty() && wanted != 0) {
    return Fail(ErrorCode::kNotFound, "there is no server {}", wanted);
  }
  for (v1::ServerRecord& server : servers) {
    server.set_scrub_order(server.scrub_order() + 1);
    txn.Put(schema::ServerKey(ServerId(server.id())), server);
  }
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn

#include "cli/chunkservers.h"

#include <algorithm>

#include "cli/admin_client.h"
#include "cli/quantities.h"

namespace cairn {

Result<Fleet> FetchFleet(const ClusterOptions& options) {
  Fleet fleet;
  ASSIGN_OR_RETURN(fleet.led,
                   AskCluster(options, "GetStatus", v1::GetStatusRequest(), fleet.status));
  if (fleet.led || !fleet.status.chunkservers().empty()) return fleet;
  return Fail(ErrorCode::kUnavailable,
              "no leader answers here, and only a leader hears the chunkservers");
}

uint32_t ChunkserverOf(const v1::ChunkserverStatus& disk) {
  return disk.chunkserver() != 0 ? disk.chunkserver() : disk.server();
}

const v1::ChunkserverStatus* FindChunkserver(const v1::GetStatusResponse& status, uint32_t server) {
  for (const auto& candidate : status.chunkservers()) {
    if (candidate.server() == server) return &candidate;
  }
  return nullptr;
}

std::string ServerStateText(const v1::ChunkserverStatus& server, WallTime now) {
  const std::string silent =
      fmt::format("silent {:.1f} s", static_cast<double>(server.silent_ms()) / 1000);
  const std::string also = server.up() ? "" : ", " + silent;
  if (server.state() == v1::SERVER_DRAINING) return "draining" + also;
  if (InMaintenance(server, now)) {
    return "maintenance until " + LocalTime(server.maintenance_until().seconds()) + also;
  }
  return server.up() ? "up" : silent;
}

bool InMaintenance(const v1::ChunkserverStatus& server, WallTime now) {
  return server.state() == v1::SERVER_MAINTENANCE && now < WallTimeOf(server.maintenance_until());
}

Colour ServerColour(const v1::ChunkserverStatus& server, WallTime now) {
  if (InMaintenance(server, now)) return Colour::kWarning;
  if (!server.up()) return Colour::kBad;
  return server.state() == v1::SERVER_DRAINING ? Colour::kWarning : Colour::kNone;
}

std::string FramesText(const v1::ChunkserverStatus& server) {
  return fmt::format("{}:{}", server.frames().host(), server.frames().port());
}

uint64_t UsedBytes(const v1::ChunkserverStatus& server) {
  return server.total_bytes() - std::min(server.total_bytes(), server.available_bytes());
}

uint64_t UsedPercent(const v1::ChunkserverStatus& server) {
  return static_cast<uint64_t>(100.0 * static_cast<double>(UsedBytes(server)) /
                               static_cast<double>(server.total_bytes()));
}

v1::SetServerRequest BackInService() {
  v1::SetServerRequest request;
  request.set_state(v1::SERVER_IN_SERVICE);
  return request;
}

Result<ExitCode> ChangeServer(const ClusterOptions& options, const DiskTarget& target,
                              v1::SetServerRequest request, const std::string& told,
                              const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> disks, FetchDisks(client, target));
  for (const uint32_t disk : disks) {
    request.set_server(disk);
    v1::SetServerResponse response;
    RETURN_IF_ERROR(
        client.CallLeader("SetServer", request, response, Deadline::After(kChangeTime)));
    if (options.json) console.out << ToJson(request) << "\n";
  }
  if (!options.json) console.out << target.name() << " " << told << "\n";
  return ExitCode::kOk;
}

}  // namespace cairn

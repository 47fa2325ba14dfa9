// How verbs find, name and change chunkservers.
#pragma once

#include <cstdint>
#include <string>

#include "cairn/v1/admin.pb.h"
#include "cli/cluster_lookup.h"
#include "cli/disk_target.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/exit_code.h"
#include "common/status.h"

namespace cairn {

struct Fleet {
  v1::GetStatusResponse status;
  bool led = false;  // a leader told: nobody else hears the chunkservers
};

// Of the metaserver whose word counts most. kUnavailable: it does not lead and knows nothing of
// chunkservers.
Result<Fleet> FetchFleet(const ClusterOptions& options);
// The process it is a disk of: the id of its first disk. One of an older version is alone.
uint32_t ChunkserverOf(const v1::ChunkserverStatus& disk);
// Null: there is no such server.
const v1::ChunkserverStatus* FindChunkserver(const v1::GetStatusResponse& status, uint32_t server);

// "up", "silent 3.2 s", "draining", "maintenance until 2026-11-26 12:30:05", and together.
std::string ServerStateText(const v1::ChunkserverStatus& server, WallTime now);
bool InMaintenance(const v1::ChunkserverStatus& server, WallTime now);
Colour ServerColour(const v1::ChunkserverStatus& server, WallTime now);
// "HOST:PORT", of its frames.
std::string FramesText(const v1::ChunkserverStatus& server);
uint64_t UsedBytes(const v1::ChunkserverStatus& server);
// Rounded down; REQUIRES: its size is known.
uint64_t UsedPercent(const v1::ChunkserverStatus& server);

// Asks the leader for the change of each disk that is meant; `told` is what people read afterwards,
// behind the target's name. JSON is the requests, one a line. Asking again does what is left.
Result<ExitCode> ChangeServer(const ClusterOptions& options, const DiskTarget& target,
                              v1::SetServerRequest request, const std::string& told,
                              const Console& console);

// Ends a drain or a maintenance.
v1::SetServerRequest BackInService();

}  // namespace cairn

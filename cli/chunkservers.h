// How verbs find, name and change chunkservers.
#pragma once

#include <cstdint>
#include <string>

#include "cairn/v1/admin.pb.h"
#include "cli/cluster_lookup.h"
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
// Null: there is no such server.
const v1::ChunkserverStatus* FindChunkserver(const v1::GetStatusResponse& status, uint32_t server);

// "up", "silent 3.2 s", "draining", "maintenance until 2026-11-26 12:30:05", and together.
std::string ServerStateText(const v1::ChunkserverStatus& server, WallTime now);
Colour ServerColour(const v1::ChunkserverStatus& server, WallTime now);
// "HOST:PORT", of its frames.
std::string FramesText(const v1::ChunkserverStatus& server);
uint64_t UsedBytes(const v1::ChunkserverStatus& server);
// Rounded down; REQUIRES: its size is known.
uint64_t UsedPercent(const v1::ChunkserverStatus& server);

// Asks the leader for the change; `told` is what people read afterwards, JSON is the request.
Result<ExitCode> ChangeServer(const ClusterOptions& options, const v1::SetServerRequest& request,
                              const std::string& told, const Console& console);

}  // namespace cairn

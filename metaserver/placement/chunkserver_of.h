// Which servers are disks of one process. Pure.
#pragma once

#include "cairn/v1/records.pb.h"
#include "common/ids.h"

namespace cairn {

// The id of the first disk of the server's process; rows from before processes had several disks
// name none, and each is alone in its process.
inline ServerId ChunkserverOf(const v1::ServerRecord& server) {
  return ServerId(server.chunkserver() != 0 ? server.chunkserver() : server.id());
}

}  // namespace cairn

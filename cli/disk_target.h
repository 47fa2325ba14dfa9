// What a verb acts on: a chunkserver with all its disks ('cairn server ...'), or one disk of it
// ('cairn disk ...'). The cluster itself knows disks alone, and calls each of them a server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/admin_client.h"
#include "common/status.h"

namespace cairn {

struct DiskTarget {
  bool one_disk = false;
  uint32_t id = 0;

  std::string name() const;  // "server 3", "disk 4"
};

// Those of `status` that are meant, in order of their ids. kNotFound, in words that tell a disk
// from a chunkserver.
Result<std::vector<v1::ChunkserverStatus>> PickDisks(const v1::GetStatusResponse& status,
                                                     const DiskTarget& target);

// Their ids, as the leader lists them now. kUnavailable: nobody leads, or has just begun to.
Result<std::vector<uint32_t>> FetchDisks(AdminClient& client, const DiskTarget& target);

// The same, each with all that is told of it.
Result<std::vector<v1::ChunkserverStatus>> FetchDiskStatus(AdminClient& client,
                                                           const DiskTarget& target);

}  // namespace cairn

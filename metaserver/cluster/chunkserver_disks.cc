#include "metaserver/cluster/chunkserver_disks.h"

#include <fmt/format.h>

#include "metaserver/placement/chunkserver_of.h"

namespace cairn {

ChunkserverDisks::ChunkserverDisks(const MapSnapshot& map) {
  for (const auto& [id, record] : map.servers) {
    const ServerId chunkserver = ChunkserverOf(record);
    disks_[chunkserver].push_back(id);
    chunkservers_[id] = chunkserver;
  }
}

std::string ChunkserverDisks::NameOf(ServerId server) const {
  const auto found = chunkservers_.find(server);
  if (found == chunkservers_.end() || disks_.at(found->second).size() == 1) {
    return fmt::format("chunkserver {}", server);
  }
  return fmt::format("disk {} of chunkserver {}", server, found->second);
}

}  // namespace cairn

// The servers of the map by the process they are disks of, and what people call them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/ids.h"
#include "metaserver/cluster/map_cache.h"

namespace cairn {

class ChunkserverDisks {
 public:
  explicit ChunkserverDisks(const MapSnapshot& map);

  // By chunkserver, in order of their ids.
  const std::map<ServerId, std::vector<ServerId>>& all() const { return disks_; }
  // "chunkserver 3"; "disk 4 of chunkserver 3" where it has more than one.
  std::string NameOf(ServerId server) const;

 private:
  std::map<ServerId, std::vector<ServerId>> disks_;
  std::map<ServerId, ServerId> chunkservers_;  // by disk
};

}  // namespace cairn

// What the namespace asks of the cluster part of the metaserver, and no more.
#pragma once

#include <cstdint>
#include <functional>

#include "common/ids.h"
#include "common/status.h"

namespace cairn {

// Room for files' bytes, copies taken into account: what fits until the first server is full, as
// files spread over them. kUnavailable: not known yet. Thread-safe; must answer from memory.
class ClusterSpace {
 public:
  struct Space {
    uint64_t total_bytes = 0;
    uint64_t available_bytes = 0;
  };
  virtual ~ClusterSpace() = default;
  virtual Result<Space> CurrentSpace() const = 0;
  // Whether some disk that takes new bytes is: mounts should not hold writes back.
  virtual bool NearFull() const = 0;
};

// Makes a pool's placement groups on first use. Thread-safe.
class PlacementGroups {
 public:
  virtual ~PlacementGroups() = default;
  // `done` runs once: at once when the pool has its groups, else when they are committed.
  // kUnavailable: too few servers are alive, and how many are missing; kNotFound: no such pool.
  virtual void Ensure(PoolId pool, std::function<void(Status)> done) = 0;
};

}  // namespace cairn

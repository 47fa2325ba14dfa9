// One chunkserver: its disk, its replication, its ports and its tie to the cluster.
#pragma once

#include <functional>
#include <memory>

#include "chunkserver/chunkserver_config.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class Chunkserver {
 public:
  // Listens on return and joins its cluster in the background. Errors name what is in the way: the
  // data directory, the certificates, the port. `refused` is called once if the cluster refuses
  // this server for good; it must be quick and not call back.
  static Result<std::unique_ptr<Chunkserver>> Start(const ChunkserverConfig& config,
                                                    std::function<void(const Status&)> refused);
  virtual ~Chunkserver() = default;  // as a crash would

  // Stops serving and leaves everything durable and marked so. Once.
  virtual Status Stop() = 0;
};

}  // namespace cairn

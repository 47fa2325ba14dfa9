// One chunkserver: a process with one frame port, one UNIX socket and one disk or several. To the
// cluster each disk is a server of its own; what they share is in here and nowhere else.
#pragma once

#include <functional>
#include <memory>

#include "chunkserver/chunkserver_config.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class Chunkserver {
 public:
  // Listens on return and joins its cluster in the background. A disk that cannot be opened is told
  // in the log and left out; only when none can is that the error. Other errors name what is in the
  // way: the certificates, the port. `refused` is called once, when the cluster has refused all
  // disks for good; it must be quick and not call back.
  static Result<std::unique_ptr<Chunkserver>> Start(const ChunkserverConfig& config,
                                                    std::function<void(const Status&)> refused);
  virtual ~Chunkserver() = default;  // as a crash would

  // Stops serving and leaves everything durable and marked so. Once. The first disk that could not
  // be left so is the error; the others are nevertheless.
  virtual Status Stop() = 0;
};

}  // namespace cairn

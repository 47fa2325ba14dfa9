// One metaserver: its state, the services over it, its ports.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/status.h"
#include "metaserver/metaserver_config.h"

namespace cairn {

// Thread-safe.
class Metaserver {
 public:
  // Listens on return; without a cluster it waits to be told of one (Admin.FoundCluster). Errors
  // name what is in the way: the data directory, the certificates, the port. `failed` is called
  // once if the disk under the log fails (rule M4): end the server then, without Stop(). It must be
  // quick and not call back.
  static Result<std::unique_ptr<Metaserver>> Start(const MetaserverConfig& config,
                                                   std::function<void(const Status&)> failed);
  virtual ~Metaserver() = default;  // stops serving, leaves no mark of a clean stop

  virtual uint16_t port() const = 0;  // of frames
  virtual uint16_t grpc_port() const = 0;
  // Stops serving and leaves everything durable and marked so. Once.
  virtual Status Stop() = 0;
};

}  // namespace cairn

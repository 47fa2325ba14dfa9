// Serves a Dispatcher's handlers once more over gRPC: every method of the proto services that has a
// frame number and a handler, plus health and reflection. Payloads do not travel here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rpc/address.h"
#include "rpc/dispatcher.h"
#include "rpc/tls.h"

namespace cairn {

struct GrpcServerOptions {
  Address listen;                         // port 0 picks a free one
  std::shared_ptr<const TlsContext> tls;  // null: plain, for tests only
  std::vector<std::string> services;      // "cairn.v1.Admin", ...: what is served and reflected
};

// Thread-safe.
class GrpcServer {
 public:
  // Listens on return. kUnavailable names the address that is in use. `dispatcher` must outlive it.
  static Result<std::unique_ptr<GrpcServer>> Start(GrpcServerOptions options,
                                                   const Dispatcher& dispatcher);
  virtual ~GrpcServer() = default;  // Stop()s

  virtual uint16_t port() const = 0;
  // What grpc.health.v1 answers; NOT_SERVING until first set.
  virtual void SetServing(bool serving) = 0;
  virtual void Stop() = 0;
};

}  // namespace cairn

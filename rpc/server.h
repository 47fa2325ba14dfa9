// Serves frames on TCP (with TLS) and on UNIX sockets: few threads, many connections.
#pragma once

#include <memory>
#include <string>

#include "common/fault_plan.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/dispatcher.h"
#include "rpc/tls.h"

namespace cairn {

struct FrameServerOptions {
  std::string name = "frames";               // of its threads
  Address listen;                            // port 0 picks a free one; empty host: no TCP
  std::string unix_path;                     // empty: no UNIX socket; a stale one is replaced
  std::shared_ptr<const TlsContext> tls;     // null: plain TCP, for tests and benchmarks only
  int threads = 2;
  int max_connections = 4096;                // over it, the newest is told kUnavailable and closed
  v1::Hello hello;                           // what we say of ourselves
  FaultPlan* faults = nullptr;
};

// Thread-safe.
class FrameServer {
 public:
  // Listens on return. kUnavailable names the address that is in use.
  // `dispatcher` must outlive the server.
  static Result<std::unique_ptr<FrameServer>> Start(FrameServerOptions options,
                                                    const Dispatcher& dispatcher);
  virtual ~FrameServer() = default;  // Stop()s

  virtual uint16_t port() const = 0;
  // Set once the server knows its cluster; peers that name another one are refused (kWrongCluster).
  virtual void SetHello(const v1::Hello& hello) = 0;
  // Takes no new calls, closes all connections; no handler runs after it returns.
  virtual void Stop() = 0;
};

}  // namespace cairn

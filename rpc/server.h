// Serves frames on TCP (with TLS) and on UNIX sockets: few threads, many connections.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/fault_plan.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/dispatcher.h"
#include "rpc/tls.h"

namespace cairn {

// Who answers a connection, and what it says of itself.
struct FrameService {
  const Dispatcher* dispatcher = nullptr;
  v1::Hello hello;
  size_t lane = 0;  // whose threads run its handlers; below FrameServerOptions::lanes
};
// Chooses by what the peer says in its Hello; an error is the goodbye that it gets. Runs on the
// connections' threads, several at once: thread-safe, and must not block.
using ServiceChooser = std::function<Result<FrameService>(const v1::Hello& peer)>;

struct FrameServerOptions {
  std::string name = "frames";               // of its threads
  Address listen;                            // port 0 picks a free one; empty host: no TCP
  std::string unix_path;                     // empty: no UNIX socket; a stale one is replaced
  std::shared_ptr<const TlsContext> tls;     // null: plain TCP, for tests and benchmarks only
  int threads = 2;                           // of each lane
  // More than one: each has threads of its own, so that handlers which are held up, as by a slow
  // disk, hold up nobody in another lane. Accepting and shaking hands has one more thread then.
  size_t lanes = 1;
  int max_connections = 4096;                // over it, the newest is told kUnavailable and closed
  v1::Hello hello;                           // what we say of ourselves; a chooser says its own
  FaultPlan* faults = nullptr;
};

// Thread-safe.
class FrameServer {
 public:
  // Listens on return. kUnavailable names the address that is in use.
  // `dispatcher` must outlive the server.
  static Result<std::unique_ptr<FrameServer>> Start(FrameServerOptions options,
                                                    const Dispatcher& dispatcher);
  // Several services on one port: each connection is served by the one its Hello chooses, for as
  // long as it lasts. What `choose` returns must outlive the server.
  static Result<std::unique_ptr<FrameServer>> Start(FrameServerOptions options,
                                                    ServiceChooser choose);
  virtual ~FrameServer() = default;  // Stop()s

  virtual uint16_t port() const = 0;
  // Set once the server knows its cluster; peers that name another one are refused (kWrongCluster).
  // Of no effect where a chooser says who serves.
  virtual void SetHello(const v1::Hello& hello) = 0;
  // Takes no new calls, closes all connections; no handler runs after it returns.
  virtual void Stop() = 0;
};

}  // namespace cairn

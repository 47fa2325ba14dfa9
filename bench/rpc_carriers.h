// The carriers that rpc_bench compares: all servers in one child process, one caller per carrier.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rpc/address.h"
#include "rpc/tls.h"

namespace cairn::bench {

struct Endpoints {
  uint16_t bare_tcp = 0;
  uint16_t frames_tcp = 0;
  uint16_t frames_tls = 0;
  uint16_t grpc_tls = 0;
  std::string bare_unix;
  std::string frames_unix;
};

// Runs the servers until the parent closes its end of `parent_pipe`; writes the ports to it first.
void RunServers(const std::string& directory, std::shared_ptr<const TlsContext> tls,
                int to_parent, int from_parent);
Endpoints ReadEndpoints(const std::string& directory, int from_child);

// Sends so many bytes, gets so many back.
using Caller = std::function<void(uint32_t request_bytes, uint32_t answer_bytes)>;

struct Carrier {
  std::string name;
  Caller call;
};

// The bare sockets come first.
std::vector<Carrier> ConnectAll(const Endpoints& endpoints, std::shared_ptr<const TlsContext> tls);

}  // namespace cairn::bench

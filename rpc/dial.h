// Makes the socket of a channel: resolves, connects, shakes hands. Blocks, bounded by a deadline.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "rpc/address.h"
#include "rpc/stream.h"
#include "rpc/tls.h"

namespace cairn {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Host name to numeric addresses; null: the system's.
using Resolver = std::function<Result<std::vector<std::string>>(const std::string& host)>;

// The system's resolver, on a thread of its own where it might ask a name server, which knows no
// deadline.
Result<std::vector<SocketAddress>> Resolve(const std::string& host, uint16_t port,
                                           Deadline deadline);

// Tries every address of the name in turn, IPv6 and IPv4, each with its share of the time. TLS is
// never used over UNIX sockets. kUnavailable names the address and the cause of the last failure;
// kUnauthenticated: the server's certificate is not of our CA.
Result<std::unique_ptr<Stream>> Dial(const Address& address, const TlsContext* tls,
                                     const Resolver& resolver, Deadline deadline);

// Waits until one of `events` (poll's) or the deadline; the events that came, 0 for none.
short PollUntil(int descriptor, short events, Deadline deadline);

}  // namespace cairn

// The sockets a server listens on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"

namespace cairn {

// Every address `host` stands for, IPv6 and IPv4 ("::" takes both). Port 0 picks a free one, the
// same for all, and stores it. kUnavailable names the address that is in use. The caller owns the
// descriptors.
Result<std::vector<int>> ListenTcp(const std::string& host, uint16_t& port);

// A socket file that nobody listens on is replaced; one that is in use is kUnavailable, and any
// other file is left alone (kExists). Everyone may connect: the peer's uid is known.
enum class UnixKind { kStream, kPackets };  // SOCK_STREAM, SOCK_SEQPACKET
Result<int> ListenUnix(const std::string& path, UnixKind kind = UnixKind::kStream);

}  // namespace cairn

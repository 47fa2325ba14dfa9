// Where a server listens. Names are resolved at every connect, so an address may change under us.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "common/status.h"

namespace cairn {

struct Address {
  std::string host;       // name, IPv4 or IPv6 without brackets; empty with a UNIX socket only
  uint16_t port = 0;
  std::string unix_path;  // when set it is used and host is ignored

  std::string ToString() const;  // "host:7400", "[::1]:7400", "unix:/run/cairn/meta.sock"
  friend bool operator==(const Address&, const Address&) = default;
};

// "HOST", "HOST:PORT", "[V6]", "[V6]:PORT" or "unix:/PATH". kInvalidArgument names the text.
Result<Address> ParseAddress(std::string_view text, uint16_t default_port);
// Comma-separated.
Result<std::vector<Address>> ParseAddresses(std::string_view text, uint16_t default_port);

// How to reach `endpoint` from this host: its UNIX socket when it runs under the same kernel boot
// and the socket exists, else TCP.
Address ChooseAddress(const v1::Endpoint& endpoint, bool allow_unix = true);

}  // namespace cairn

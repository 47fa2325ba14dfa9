// The yardstick: one blocking socket, no framing beyond two lengths, no checks.
#pragma once

#include <cstdint>
#include <string>

#include "rpc/address.h"

namespace cairn::bench {

// Serves connections of `listening` for ever, one thread each.
void ServeBare(int listening);

// One connection. Dies on any error: there is no peer but our own.
class BareClient {
 public:
  explicit BareClient(const Address& address);
  ~BareClient();
  void Call(uint32_t request_bytes, uint32_t answer_bytes);

 private:
  int descriptor_;
  std::string buffer_;
};

}  // namespace cairn::bench

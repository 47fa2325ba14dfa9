#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/dev/shape.h"
#include "common/hash.h"

namespace cairn {

namespace {
// Debian's outgoing range begins at 32768; below 10000 live well-known services.
constexpr uint16_t kFirstPort = 10000;
constexpr uint16_t kPortCount = 22000;

bool IsFree(uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free =
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return free;
}
}  // namespace

Result<std::vector<uint16_t>> ChooseFreePorts(size_t count) {
  std::vector<uint16_t> ports;
  const auto start = static_cast<uint16_t>(RandomBits() % kPortCount);
  for (uint16_t i = 0; i < kPortCount && ports.size() < count; ++i) {
    const auto port = static_cast<uint16_t>(kFirstPort + (start + i) % kPortCount);
    if (IsFree(port)) ports.push_back(port);
  }
  if (ports.size() < count) {
    return Fail(ErrorCode::kUnavailable, "fewer than {} free ports on 127.0.0.1", count);
  }
  return ports;
}

}  // namespace cairn

// Packets over a connected SOCK_SEQPACKET socket that carry descriptors. Never wait.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/status.h"

namespace cairn {

inline constexpr size_t kMostPassedDescriptors = 2;

struct Packet {
  std::string bytes;
  std::vector<Descriptor> descriptors;
};

// kBusy: the peer does not take what it was sent. kUnavailable: it is gone.
// REQUIRES: at most kMostPassedDescriptors.
Status SendPacket(int socket, std::string_view bytes, std::span<const int> descriptors);

// kBusy: there is none. kUnavailable: the peer is gone. kTooLarge: it has more bytes than `most`,
// or more descriptors than may be passed; it is lost.
Result<Packet> ReceivePacket(int socket, size_t most);

}  // namespace cairn

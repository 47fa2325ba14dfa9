#include "rpc/packet.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cairn {
namespace {

constexpr size_t kControlBytes = CMSG_SPACE(kMostPassedDescriptors * sizeof(int));

Status Failure(int error, const char* call) {
  if (error == EAGAIN || error == EWOULDBLOCK) {
    return Status::Error(ErrorCode::kBusy, "{}: not now", call);
  }
  return Status::Error(ErrorCode::kUnavailable, "{}", Status::FromErrno(error, call).message());
}

std::vector<Descriptor> TakeDescriptors(msghdr& message) {
  std::vector<Descriptor> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int value = -1;
      std::memcpy(&value, CMSG_DATA(part) + at, sizeof(value));
      taken.emplace_back(value);
    }
  }
  return taken;
}

}  // namespace

Status SendPacket(int socket, std::string_view bytes, std::span<const int> descriptors) {
  CAIRN_CHECK(descriptors.size() <= kMostPassedDescriptors);
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[kControlBytes] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = -1;
  do {
    sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 ? OkStatus() : Failure(errno, "send");
}

Result<Packet> ReceivePacket(int socket, size_t most) {
  Packet packet;
  packet.bytes.resize(most);
  iovec piece{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) char control[kControlBytes];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got = -1;
  do {
    got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Fail(Failure(errno, "receive"));
  packet.descriptors = TakeDescriptors(message);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Fail(ErrorCode::kTooLarge, "a packet of more than {} bytes, or of many descriptors",
                most);
  }
  // Nobody sends an empty one.
  if (got == 0) return Fail(ErrorCode::kUnavailable, "closed by the peer");
  packet.bytes.resize(static_cast<size_t>(got));
  return packet;
}

}  // namespace cairn

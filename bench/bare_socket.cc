#include "bench/bare_socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "rpc/frame.h"

namespace cairn::bench {
namespace {

constexpr size_t kLargestBody = 4u << 20;

// As long as a frame's header, so that both move the same bytes.
struct Lengths {
  uint32_t request_bytes = 0;
  uint32_t answer_bytes = 0;
  char rest[kFrameHeaderBytes - 8] = {};
};

bool SendAll(int descriptor, const Lengths& lengths, const char* data, size_t size_bytes) {
  iovec pieces[2] = {{const_cast<Lengths*>(&lengths), sizeof(lengths)},
                     {const_cast<char*>(data), size_bytes}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = size_bytes > 0 ? 2 : 1;
  ssize_t sent = sendmsg(descriptor, &message, MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(sizeof(lengths) + size_bytes);  // blocking: all or an error
}

bool ReceiveAll(int descriptor, void* data, size_t size_bytes) {
  return size_bytes == 0 || recv(descriptor, data, size_bytes, MSG_WAITALL) ==
                                static_cast<ssize_t>(size_bytes);
}

void ServeOne(int descriptor) {
  std::string buffer(kLargestBody, 'x');
  Lengths lengths;
  while (ReceiveAll(descriptor, &lengths, sizeof(lengths)) &&
         ReceiveAll(descriptor, buffer.data(), lengths.request_bytes) &&
         SendAll(descriptor, lengths, buffer.data(), lengths.answer_bytes)) {
  }
  close(descriptor);
}

int Connect(const Address& address) {
  sockaddr_un local{};
  sockaddr_in remote{};
  bool is_unix = !address.unix_path.empty();
  int descriptor = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int outcome = 0;
  if (is_unix) {
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, address.unix_path.c_str(), address.unix_path.size() + 1);
    outcome = connect(descriptor, reinterpret_cast<sockaddr*>(&local), sizeof(local));
  } else {
    remote.sin_family = AF_INET;
    remote.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &remote.sin_addr);
    outcome = connect(descriptor, reinterpret_cast<sockaddr*>(&remote), sizeof(remote));
  }
  CAIRN_CHECK(outcome == 0);
  return descriptor;
}

void NoDelay(int descriptor) {
  int on = 1;
  (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

void ServeBare(int listening) {
  while (true) {
    int descriptor = accept(listening, nullptr, nullptr);
    if (descriptor < 0) return;
    NoDelay(descriptor);
    std::thread(ServeOne, descriptor).detach();
  }
}

BareClient::BareClient(const Address& address)
    : descriptor_(Connect(address)), buffer_(kLargestBody, 'y') {
  NoDelay(descriptor_);
}

BareClient::~BareClient() { close(descriptor_); }

void BareClient::Call(uint32_t request_bytes, uint32_t answer_bytes) {
  Lengths lengths{request_bytes, answer_bytes, {}};
  CAIRN_CHECK(SendAll(descriptor_, lengths, buffer_.data(), request_bytes));
  CAIRN_CHECK(ReceiveAll(descriptor_, &lengths, sizeof(lengths)));
  CAIRN_CHECK(ReceiveAll(descriptor_, buffer_.data(), answer_bytes));
}

}  // namespace cairn::bench

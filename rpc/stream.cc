#include "rpc/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "rpc/tls_stream.h"

namespace cairn {
namespace {

class PlainStream final : public Stream {
 public:
  explicit PlainStream(int descriptor) : Stream(descriptor) {}

  IoResult Handshake() override { return {}; }

  IoResult Read(std::span<std::byte> first, std::span<std::byte> rest) override {
    std::array<iovec, 2> pieces{{{first.data(), first.size()}, {rest.data(), rest.size()}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = rest.empty() ? 1 : 2;
    ssize_t got = recvmsg(descriptor(), &message, MSG_DONTWAIT);
    if (got == 0) return {IoState::kClosed, 0, true};
    if (got < 0) return Failed(IoState::kWantRead);
    auto bytes = static_cast<size_t>(got);
    return {IoState::kOk, bytes, bytes < first.size() + rest.size()};
  }

  IoResult Write(std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    ssize_t sent = sendmsg(descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return Failed(IoState::kWantWrite);
    return {IoState::kOk, static_cast<size_t>(sent), false};
  }

  Status error() const override { return Status::FromErrno(errno_, "socket"); }

 private:
  IoResult Failed(IoState want) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      return {want, 0, errno != EINTR};
    }
    errno_ = errno;
    return {IoState::kFailed, 0, false};
  }

  std::atomic<int> errno_{0};
};

void SetOption(int descriptor, int level, int name, int value) {
  // An option that is not taken costs speed only.
  (void)setsockopt(descriptor, level, name, &value, sizeof(value));
}

}  // namespace

Stream::~Stream() { close(descriptor_); }

void Stream::Shutdown() { (void)shutdown(descriptor_, SHUT_RDWR); }

std::unique_ptr<Stream> Stream::Plain(int descriptor) {
  return std::make_unique<PlainStream>(descriptor);
}

Result<std::unique_ptr<Stream>> Stream::Tls(int descriptor, const TlsContext& context, Side side) {
  return MakeTlsStream(descriptor, context, side);
}

void PrepareSocket(int descriptor, bool is_unix) {
  (void)fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  if (is_unix) {
    constexpr int kBufferBytes = 2 << 20;
    SetOption(descriptor, SOL_SOCKET, SO_SNDBUF, kBufferBytes);
    SetOption(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, kBufferBytes);  // with CAP_NET_ADMIN
    return;
  }
  SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  // A host that vanished is noticed within half a minute, connections in use after ten seconds.
  SetOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  SetOption(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
  SetOption(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, 10'000);
}

}  // namespace cairn

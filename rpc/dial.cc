#include "rpc/dial.h"

#include <netdb.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/await.h"

namespace cairn {
namespace {

using Addresses = Result<std::vector<SocketAddress>>;

Addresses ResolveNow(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    return Fail(ErrorCode::kUnavailable, "resolve {}: {}", host, gai_strerror(error));
  }
  std::vector<SocketAddress> found;
  for (addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    address.size = one->ai_addrlen;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    found.push_back(address);
  }
  freeaddrinfo(list);
  return found;
}

struct Lookup {
  absl::Mutex mu;
  bool done ABSL_GUARDED_BY(mu) = false;
  Addresses found ABSL_GUARDED_BY(mu);
};

// The errno of the attempt, 0 when connected.
int ConnectSocket(int descriptor, const SocketAddress& address, Deadline deadline) {
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  while (connect(descriptor, name, address.size) != 0) {
    if (errno == EAGAIN && !deadline.Passed()) {  // a UNIX socket with a full backlog
      (void)poll(nullptr, 0, 1);
      continue;
    }
    if (errno == EISCONN) return 0;
    if (errno != EINPROGRESS && errno != EINTR && errno != EALREADY) return errno;
    if (PollUntil(descriptor, POLLOUT, deadline) == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }
  return 0;
}

Result<int> Connect(const SocketAddress& address, Deadline deadline) {
  int family = address.storage.ss_family;
  int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return Fail(Status::FromErrno(errno, "socket"));
  PrepareSocket(descriptor, family == AF_UNIX);
  int error = ConnectSocket(descriptor, address, deadline);
  if (error == 0) return descriptor;
  close(descriptor);
  return Fail(ErrorCode::kUnavailable, "{}", Status::FromErrno(error, "connect").message());
}

Result<std::unique_ptr<Stream>> Secure(int descriptor, const TlsContext& tls, Deadline deadline) {
  ASSIGN_OR_RETURN(auto stream, Stream::Tls(descriptor, tls, Stream::Side::kClient));
  while (true) {
    IoResult result = stream->Handshake();
    if (result.state == IoState::kOk) return stream;
    if (result.state == IoState::kFailed) return Fail(stream->error());
    if (result.state == IoState::kClosed) {
      return Fail(ErrorCode::kUnavailable, "closed during the TLS handshake");
    }
    short events = result.state == IoState::kWantWrite ? POLLOUT : POLLIN;
    if (PollUntil(stream->descriptor(), events, deadline) == 0) {
      return Fail(ErrorCode::kUnavailable, "no answer to the TLS handshake");
    }
  }
}

Addresses UnixAddress(const std::string& path) {
  SocketAddress address;
  auto* name = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof(name->sun_path)) {
    return Fail(ErrorCode::kInvalidArgument, "socket path {} is too long", path);
  }
  name->sun_family = AF_UNIX;
  std::memcpy(name->sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof(sockaddr_un);
  return std::vector<SocketAddress>{address};
}

Addresses AddressesOf(const Address& address, const Resolver& resolver, Deadline deadline) {
  if (!address.unix_path.empty()) return UnixAddress(address.unix_path);
  if (resolver == nullptr) return Resolve(address.host, address.port, deadline);
  ASSIGN_OR_RETURN(std::vector<std::string> hosts, resolver(address.host));
  std::vector<SocketAddress> found;
  for (const std::string& host : hosts) {
    ASSIGN_OR_RETURN(auto one, ResolveNow(host, address.port, AI_NUMERICHOST));
    found.insert(found.end(), one.begin(), one.end());
  }
  return found;
}

Result<std::unique_ptr<Stream>> TryOne(const SocketAddress& address, const TlsContext* tls,
                                       Deadline deadline) {
  ASSIGN_OR_RETURN(int descriptor, Connect(address, deadline));
  if (tls == nullptr || address.storage.ss_family == AF_UNIX) return Stream::Plain(descriptor);
  return Secure(descriptor, *tls, deadline);
}

}  // namespace

short PollUntil(int descriptor, short events, Deadline deadline) {
  pollfd one{descriptor, events, 0};
  while (true) {
    Duration left = deadline.Left();
    timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    int count = ppoll(&one, 1, &timeout, nullptr);
    if (count > 0) return one.revents;
    if (count == 0 && deadline.Passed()) return 0;
  }
}

Addresses Resolve(const std::string& host, uint16_t port, Deadline deadline) {
  Addresses numeric = ResolveNow(host, port, AI_NUMERICHOST);
  if (numeric.has_value()) return numeric;
  auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port] {
    Addresses found = ResolveNow(host, port, 0);
    absl::MutexLock lock(&lookup->mu);
    lookup->found = std::move(found);
    lookup->done = true;
  }).detach();
  absl::MutexLock lock(&lookup->mu);
  bool in_time = AwaitUntil(lookup->mu, absl::Condition(&lookup->done), deadline);
  if (!in_time) return Fail(ErrorCode::kUnavailable, "resolve {}: no answer in time", host);
  return lookup->found;
}

Result<std::unique_ptr<Stream>> Dial(const Address& address, const TlsContext* tls,
                                     const Resolver& resolver, Deadline deadline) {
  ASSIGN_OR_RETURN(std::vector<SocketAddress> found, AddressesOf(address, resolver, deadline));
  Status last = Status::Error(ErrorCode::kUnavailable, "the name has no address");
  for (size_t i = 0; i < found.size(); ++i) {
    auto share = deadline.Left() / static_cast<int64_t>(found.size() - i);
    auto stream = TryOne(found[i], tls, Deadline::After(share));
    if (stream.has_value()) return stream;
    last = stream.error();
  }
  return Fail(last.code(), "connect to {}: {}", address.ToString(), last.message());
}

}  // namespace cairn

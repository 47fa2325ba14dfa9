#include "rpc/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "rpc/address.h"
#include "rpc/dial.h"

namespace cairn {
namespace {

constexpr int kBacklog = 1024;
constexpr Duration kResolveTimeout = std::chrono::seconds(10);

Status InUse(const std::string& name, int error) {
  return Status::Error(ErrorCode::kUnavailable, "listen on {}: {}", name,
                       Status::FromErrno(error, "bind").message());
}

Result<int> Listen(const sockaddr* name, socklen_t size, const std::string& text,
                   int type = SOCK_STREAM) {
  int descriptor = socket(name->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return Fail(InUse(text, errno));
  int on = 1;
  int off = 0;
  if (name->sa_family != AF_UNIX) {
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
  if (name->sa_family == AF_INET6) {
    (void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(descriptor, name, size) == 0 && listen(descriptor, kBacklog) == 0) return descriptor;
  Status failed = InUse(text, errno);
  close(descriptor);
  return Fail(std::move(failed));
}

uint16_t BoundPort(int descriptor) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  (void)getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

void SetPort(SocketAddress& address, uint16_t port) {
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  }
}

bool SomebodyListens(const sockaddr_un& name, int type) {
  int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return true;
  int outcome = connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  bool refused = outcome != 0 && errno == ECONNREFUSED;
  close(descriptor);
  return !refused;
}

Status RemoveStale(const sockaddr_un& name, int type) {
  struct stat status {};
  if (stat(name.sun_path, &status) != 0) return OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return Status::Error(ErrorCode::kExists, "listen on {}: another file is there", name.sun_path);
  }
  if (SomebodyListens(name, type)) return InUse(name.sun_path, EADDRINUSE);
  if (unlink(name.sun_path) != 0) return Status::FromErrno(errno, name.sun_path);
  return OkStatus();
}

}  // namespace

Result<std::vector<int>> ListenTcp(const std::string& host, uint16_t& port) {
  ASSIGN_OR_RETURN(auto addresses, Resolve(host, port, Deadline::After(kResolveTimeout)));
  bool any_port = port == 0;
  std::string text = Address{host, port, ""}.ToString();
  std::vector<int> listening;
  for (SocketAddress& address : addresses) {
    SetPort(address, port);
    auto one = Listen(reinterpret_cast<const sockaddr*>(&address.storage), address.size, text);
    if (one.has_value()) {
      port = BoundPort(*one);
      listening.push_back(*one);
    } else if (listening.empty() || !any_port) {
      for (int descriptor : listening) close(descriptor);
      return Fail(one.error());
    }
  }
  if (listening.empty()) return Fail(ErrorCode::kUnavailable, "{} has no address", host);
  return listening;
}

Result<int> ListenUnix(const std::string& path, UnixKind kind) {
  const int type = kind == UnixKind::kStream ? SOCK_STREAM : SOCK_SEQPACKET;
  sockaddr_un name{};
  if (path.size() >= sizeof(name.sun_path)) {
    return Fail(ErrorCode::kInvalidArgument, "socket path {} is over {} bytes", path,
                sizeof(name.sun_path) - 1);
  }
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  RETURN_IF_ERROR(RemoveStale(name, type));
  ASSIGN_OR_RETURN(int descriptor,
                   Listen(reinterpret_cast<const sockaddr*>(&name), sizeof(name), path, type));
  (void)chmod(path.c_str(), 0666);
  return descriptor;
}

}  // namespace cairn

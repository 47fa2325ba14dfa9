#include "client/local_door.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "rpc/dial.h"

namespace cairn::client {
namespace {

// Said by a server these words mean one chunk only, and for now.
bool IsOfTheDoor(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kCorruption || code == ErrorCode::kCancelled;
}

}  // namespace

Result<LocalDoorPtr> LocalDoor::Connect(const std::string& socket_path, ServerId server) {
  const std::string path = LocalSocketPath(socket_path);
  sockaddr_un name{};
  if (path.size() >= sizeof(name.sun_path)) {
    return Fail(ErrorCode::kUnavailable, "socket path {} is too long", path);
  }
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  Descriptor made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open() ||
      connect(made.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    return Fail(ErrorCode::kUnavailable, "{}", Status::FromErrno(errno, path).message());
  }
  return LocalDoorPtr(new LocalDoor(std::move(made), server));
}

Result<LocalDoor::Opened> LocalDoor::Ask(const v1::ChunkAddress& chunk) {
  v1::OpenChunkRequest request;
  request.set_wanted_server(server_.value);
  *request.mutable_chunk() = chunk;
  if (!asking_.TryLock()) return Fail(ErrorCode::kCancelled, "another thread is asking");
  const auto ask = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(asking_) -> Result<Opened> {
    ASSIGN_OR_RETURN(Packet packet, Exchange(request));
    return Take(std::move(packet));
  };
  Result<Opened> opened = ask();
  asking_.Unlock();
  return opened;
}

Result<Packet> LocalDoor::Exchange(const v1::OpenChunkRequest& request) {
  const Status sent = SendPacket(socket_.get(), request.SerializeAsString(), {});
  if (!sent.ok()) return Fail(ErrorCode::kUnavailable, "{}", sent.message());
  if (PollUntil(socket_.get(), POLLIN, Deadline::After(kPatience)) == 0) {
    return Fail(ErrorCode::kDeadlineExceeded, "no answer to a request for a local read");
  }
  Result<Packet> packet = ReceivePacket(socket_.get(), kMaxLocalAnswerBytes);
  if (packet.has_value()) return packet;
  return Fail(ErrorCode::kUnavailable, "{}", packet.error().message());
}

Result<LocalDoor::Opened> LocalDoor::Take(Packet packet) {
  Opened opened;
  if (!opened.answer.ParseFromString(packet.bytes)) {
    return Fail(ErrorCode::kCorruption, "an answer about a local read does not parse");
  }
  if (opened.answer.code() != 0) {
    const auto code = static_cast<ErrorCode>(opened.answer.code());
    return Fail(IsOfTheDoor(code) ? ErrorCode::kBusy : code, "{}", opened.answer.message());
  }
  const size_t expected = mapped_ == nullptr ? 2 : 1;
  if (packet.descriptors.size() != expected) {
    return Fail(ErrorCode::kCorruption, "{} descriptors for a local read, not {}",
                packet.descriptors.size(), expected);
  }
  if (mapped_ == nullptr) {
    ASSIGN_OR_RETURN(mapped_, LocalPageView::Map(packet.descriptors[1]));
    page_ = mapped_.get();
  }
  opened.file = std::move(packet.descriptors[0]);
  return opened;
}

bool LocalDoor::IsOpen() const {
  // Not by reading: an answer to somebody else may lie before the end.
  pollfd state{socket_.get(), POLLRDHUP, 0};
  return poll(&state, 1, 0) == 0;
}

}  // namespace cairn::client

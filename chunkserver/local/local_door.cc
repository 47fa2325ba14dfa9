#include "chunkserver/local/local_door.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "common/logging.h"
#include "rpc/listener.h"
#include "rpc/local_page_layout.h"

namespace cairn {
namespace {

v1::OpenChunkResponse Refusal(const Status& status) {
  v1::OpenChunkResponse answer;
  answer.set_code(static_cast<uint32_t>(status.code()));
  answer.set_message(status.message());
  return answer;
}

// Whoever does not take his answers cannot be served: he has others to ask.
bool Send(const Descriptor& socket, const v1::OpenChunkResponse& answer,
          std::span<const int> descriptors) {
  const std::string bytes = answer.SerializeAsString();
  return bytes.size() <= kMaxLocalAnswerBytes && SendPacket(socket.get(), bytes, descriptors).ok();
}

}  // namespace

Result<std::unique_ptr<LocalDoor>> LocalDoor::Open(const std::string& path, Finder find) {
  ASSIGN_OR_RETURN(const int listening, ListenUnix(path, UnixKind::kPackets));
  Descriptor socket(listening);
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return Fail(Status::FromErrno(errno, "eventfd"));
  return std::unique_ptr<LocalDoor>(
      new LocalDoor(path, std::move(socket), std::move(wake), std::move(find)));
}

LocalDoor::LocalDoor(std::string path, Descriptor listening, Descriptor wake, Finder find)
    : path_(std::move(path)),
      listening_(std::move(listening)),
      wake_(std::move(wake)),
      find_(std::move(find)),
      thread_("local-door", [this] { Run(); }) {}

LocalDoor::~LocalDoor() {
  (void)eventfd_write(wake_.get(), 1);
  thread_.Join();
  (void)unlink(path_.c_str());
}

bool LocalDoor::Stopping() const {
  eventfd_t value = 0;
  return eventfd_read(wake_.get(), &value) == 0;
}

void LocalDoor::Run() {
  using Milliseconds = std::chrono::milliseconds;
  constexpr auto kLookEvery =
      static_cast<int>(std::chrono::duration_cast<Milliseconds>(kLookForFences).count());
  std::vector<pollfd> waiting;
  for (;;) {
    waiting = {{wake_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
    for (const Connection& connection : connections_) {
      waiting.push_back({connection.socket.get(), POLLIN, 0});
    }
    const int ready = poll(waiting.data(), waiting.size(), connections_.empty() ? -1 : kLookEvery);
    if (ready < 0 && errno != EINTR) LOG_ERROR("the door for local reads cannot wait");
    if (Stopping()) break;
    CloseShutOut();
    if (ready <= 0) continue;
    // New ones come last: those that were waited for keep their place in `waiting`.
    size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      while (connection->socket.get() != waiting[at].fd) ++at;  // one was just closed
      const bool keep = waiting[at++].revents == 0 || Serve(*connection);
      connection = keep ? std::next(connection) : connections_.erase(connection);
    }
    if (waiting[1].revents != 0) Accept();
  }
  connections_.clear();
}

void LocalDoor::CloseShutOut() {
  connections_.remove_if([](const Connection& connection) {
    return connection.disk != nullptr && connection.disk->IsShutOut(connection.session);
  });
}

void LocalDoor::Accept() {
  for (;;) {
    Descriptor socket(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.is_open()) return;
    if (connections_.size() >= kMostConnections) continue;  // the newest goes: it has frames
    connections_.emplace_back();
    connections_.back().socket = std::move(socket);
  }
}

bool LocalDoor::Serve(Connection& connection) {
  const Result<Packet> packet = ReceivePacket(connection.socket.get(), kMaxLocalRequestBytes);
  if (!packet.has_value()) return packet.error().code() == ErrorCode::kBusy;
  v1::OpenChunkRequest request;
  if (!packet->descriptors.empty() || !request.ParseFromString(packet->bytes)) return false;
  return Answer(connection, request);
}

bool LocalDoor::Answer(Connection& connection, const v1::OpenChunkRequest& request) {
  const ServerId server(request.wanted_server());
  const SessionId session(request.chunk().session());
  const bool first = connection.disk == nullptr;
  // Otherwise what one session was given would end with another one's fence, or outlive its own.
  if (!first && (connection.server != server || connection.session != session)) return false;
  LocalGrants* const disk = first ? find_(server) : connection.disk;
  if (disk == nullptr) {
    return Send(connection.socket,
                Refusal(Status::Error(ErrorCode::kUnavailable, "server {} is not here", server)),
                {});
  }
  Result<LocalGrant> grant = disk->Grant(request.chunk());
  if (!grant.has_value()) return Send(connection.socket, Refusal(grant.error()), {});
  const std::array<int, 2> descriptors = {grant->file.get(), disk->page_descriptor()};
  const bool sent =
      Send(connection.socket, grant->answer, std::span(descriptors).first(first ? 2 : 1));
  if (first) {
    connection.disk = disk;
    connection.server = server;
    connection.session = session;
    connection.ticket = std::move(grant->ticket);
  }
  return sent;
}

}  // namespace cairn

// The socket at which clients on this host ask for chunks to read by themselves: one thread, one
// small question and one answer at a time, no waiting for anybody. Knows packets and connections;
// what may be given is LocalGrants' business.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "chunkserver/local/local_grants.h"
#include "common/descriptor.h"
#include "common/thread.h"
#include "rpc/packet.h"

namespace cairn {

// Thread-safe.
class LocalDoor {
 public:
  static constexpr size_t kMostConnections = 256;
  // So often it is looked whether a session was shut out. A fence passes only after that.
  static constexpr Duration kLookForFences = std::chrono::milliseconds(100);
  // The grants of that disk, null when it is not here; asked on the door's thread.
  using Finder = std::function<LocalGrants*(ServerId)>;

  // Listens on return. What `find` answers must outlive the door.
  static Result<std::unique_ptr<LocalDoor>> Open(const std::string& path, Finder find);
  ~LocalDoor();  // closes all connections: nobody believes what he was given

  LocalDoor(const LocalDoor&) = delete;
  LocalDoor& operator=(const LocalDoor&) = delete;

 private:
  // Belongs to the disk and the session of its first grant. It holds that one's ticket: the fence
  // of its session has not passed before the connection is closed (rule L1).
  struct Connection {
    Descriptor socket;
    LocalGrants* disk = nullptr;
    ServerId server;
    SessionId session;
    SessionTicket ticket;
  };

  LocalDoor(std::string path, Descriptor listening, Descriptor wake, Finder find);
  void Run();
  bool Stopping() const;
  void Accept();
  void CloseShutOut();
  // False: the connection is to be closed.
  bool Serve(Connection& connection);
  bool Answer(Connection& connection, const v1::OpenChunkRequest& request);

  const std::string path_;
  const Descriptor listening_;
  const Descriptor wake_;  // readable: the end
  const Finder find_;
  std::list<Connection> connections_;  // confined to the thread
  Thread thread_;
};

}  // namespace cairn

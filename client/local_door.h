// This mount's connection to the socket for local reads of one disk of this host.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/local.pb.h"
#include "client/local_page_view.h"
#include "common/clock.h"
#include "common/descriptor.h"
#include "common/status.h"
#include "rpc/packet.h"

namespace cairn::client {

// Thread-safe.
class LocalDoor {
 public:
  // A server that takes longer than this is held up by something that frames know how to wait for.
  static constexpr Duration kPatience = std::chrono::milliseconds(200);

  // `socket` is that of frames. Does not wait. kUnavailable: nobody is there.
  static Result<std::shared_ptr<LocalDoor>> Connect(const std::string& socket, ServerId server);

  struct Opened {
    v1::OpenChunkResponse answer;
    Descriptor file;
  };
  // kCancelled: another thread is asking. kUnavailable, kDeadlineExceeded, kCorruption: the door is
  // of no use any more. Others: the server says no.
  Result<Opened> Ask(const v1::ChunkAddress& chunk);

  // Null before the first chunk was opened.
  const LocalPageView* page() const { return page_.load(); }
  // The server lives and has not shut this session out.
  bool IsOpen() const;

 private:
  LocalDoor(Descriptor socket, ServerId server) : socket_(std::move(socket)), server_(server) {}
  Result<Packet> Exchange(const v1::OpenChunkRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(asking_);
  Result<Opened> Take(Packet packet) ABSL_EXCLUSIVE_LOCKS_REQUIRED(asking_);

  const Descriptor socket_;
  const ServerId server_;
  absl::Mutex asking_;                                              // nothing waits for it
  std::unique_ptr<LocalPageView> mapped_ ABSL_GUARDED_BY(asking_);  // set once
  std::atomic<const LocalPageView*> page_{nullptr};
};
using LocalDoorPtr = std::shared_ptr<LocalDoor>;

}  // namespace cairn::client

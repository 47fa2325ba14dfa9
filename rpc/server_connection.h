// The server's end of one connection.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "common/fault_plan.h"
#include "rpc/dispatcher.h"
#include "rpc/frame_reader.h"
#include "rpc/frame_writer.h"
#include "rpc/server.h"
#include "rpc/stream.h"

namespace cairn {

class ServerConnection;
struct ServerWorker;

// What the connections of one server share.
struct ServerShared {
  // The worker that serves a connection of this lane; null: the one that has it.
  std::shared_ptr<ServerWorker> WorkerOf(size_t lane);

  ServiceChooser choose;
  // Constant once the server runs; empty when there is one lane.
  std::vector<std::vector<std::shared_ptr<ServerWorker>>> lanes;
  std::atomic<size_t> next_worker{0};
  FaultPlan* faults = nullptr;
  std::atomic<bool> stopped{false};
  std::atomic<int> connections{0};
  absl::Mutex mu;
  v1::Hello hello ABSL_GUARDED_BY(mu);  // of the one service, where there is no choice
};

// One thread with its own event loop and the connections it serves. A loop per thread, because a
// loop shared by threads wakes a second one for every event. Everything but `io` is confined to
// its thread.
struct ServerWorker {
  asio::io_context io{1};
  absl::flat_hash_set<std::shared_ptr<ServerConnection>> connections;
};

// Reads frames and runs handlers on its worker's thread, in frame order; answers leave from any
// thread. All of it is confined to the worker's thread except Answer(). After the peer's Hello it
// may move to the worker of another lane, once; no request has been read by then.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerShared> shared, std::shared_ptr<ServerWorker> worker,
                   std::unique_ptr<Stream> stream, PeerIdentity peer, bool refuse);
  ~ServerConnection();

  void Start();
  // Once a second: ends peers that do not say Hello, stop inside a frame, take no answers, or do
  // not hang up after a goodbye.
  void Sweep();
  // Says goodbye and stops reading; the rest of the peer's bytes are thrown away for a moment, so
  // that the goodbye is not lost in a reset.
  void Refuse(const Status& why);
  void Close();
  // Says that the server stops, and closes.
  void EndForStop();

  // From any thread. Dropped quietly once the connection is closed.
  void Answer(OutgoingFrame frame, size_t request_bytes);
  const PeerIdentity& peer() const { return peer_; }

 private:
  enum class State { kExpectHello, kMoving, kOpen, kLingering, kClosed };

  void WaitReadable();
  void WaitWritable(std::function<void()> then);
  void Read();
  void ReadFrames();
  bool Overloaded() const;
  void TakeFrame(Frame frame);
  void TakeHello(const Frame& frame);
  void MoveTo(const std::shared_ptr<ServerWorker>& worker, const v1::Hello& ours);
  void Arrive(const std::shared_ptr<ServerWorker>& worker, const v1::Hello& ours);
  void Open(const v1::Hello& ours);
  void TakeRequest(Frame frame);
  void SayGoodbye(const Status& why);
  void Linger();
  void Send(OutgoingFrame frame);
  void ContinueWriting();
  void ResumeIfPaused();
  bool CutByFault(FaultOperation operation, bool& dropped);

  const std::shared_ptr<ServerShared> shared_;
  // Constant once open; outlives descriptor_, which lives in its loop.
  std::shared_ptr<ServerWorker> worker_;
  const std::unique_ptr<Stream> stream_;
  asio::posix::stream_descriptor descriptor_;
  PeerIdentity peer_;  // constant once open
  const Dispatcher* dispatcher_ = nullptr;  // the same
  const bool refuse_;  // too many connections
  FrameReader reader_;
  FrameWriter writer_;
  State state_ = State::kExpectHello;
  uint64_t frames_ = 0;
  uint64_t frames_at_sweep_ = 0;
  int idle_sweeps_ = 0;
  size_t unsent_at_sweep_ = 0;
  int stuck_sweeps_ = 0;
  size_t lingered_bytes_ = 0;
  std::atomic<bool> closed_{false};
  std::atomic<bool> paused_{false};
  std::atomic<size_t> unanswered_bytes_{0};
};

}  // namespace cairn

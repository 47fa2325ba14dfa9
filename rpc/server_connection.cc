#include "rpc/server_connection.h"

#include <sys/socket.h>

#include <array>
#include <asio/post.hpp>
#include <cerrno>
#include <thread>

#include "common/logging.h"
#include "rpc/hello.h"
#include "rpc/server_call.h"

namespace cairn {
namespace {

constexpr int kFramesPerTurn = 64;          // then other connections of the thread have their turn
constexpr int kHelloSweeps = 5;             // seconds
constexpr int kUnfinishedFrameSweeps = 60;
constexpr int kUnsentAnswerSweeps = 60;
constexpr int kLingerSweeps = 2;
constexpr size_t kMaxLingerBytes = 32u << 20;
// Over one of these a peer is not read from until it falls below: it gets its own pressure back.
constexpr size_t kMaxUnansweredBytes = 64u << 20;
constexpr size_t kMaxUnsentBytes = 16u << 20;
// Answers that handlers held back and gave all at once to a peer that does not read.
constexpr size_t kMaxQueuedAnswers = 1u << 30;

}  // namespace

std::shared_ptr<ServerWorker> ServerShared::WorkerOf(size_t lane) {
  if (lanes.empty()) return nullptr;
  const auto& workers = lanes.at(lane);
  return workers[next_worker++ % workers.size()];
}

ServerConnection::ServerConnection(std::shared_ptr<ServerShared> shared,
                                   std::shared_ptr<ServerWorker> worker,
                                   std::unique_ptr<Stream> stream, PeerIdentity peer, bool refuse)
    : shared_(std::move(shared)),
      worker_(std::move(worker)),
      stream_(std::move(stream)),
      descriptor_(worker_->io, stream_->descriptor()),
      peer_(std::move(peer)),
      refuse_(refuse),
      writer_(*stream_, kMaxQueuedAnswers) {}

ServerConnection::~ServerConnection() {
  if (descriptor_.is_open()) descriptor_.release();  // stream_ closes it
}

void ServerConnection::Start() { WaitReadable(); }

void ServerConnection::WaitReadable() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const asio::error_code& error) {
                           if (!error) self->Read();
                         });
}

void ServerConnection::WaitWritable(std::function<void()> then) {
  descriptor_.async_wait(
      asio::posix::stream_descriptor::wait_write,
      [self = shared_from_this(), then = std::move(then)](const asio::error_code& error) {
        if (!error) then();
      });
}

void ServerConnection::Read() {
  if (state_ == State::kClosed) return;
  state_ == State::kLingering ? Linger() : ReadFrames();
}

void ServerConnection::ReadFrames() {
  Frame frame;
  for (int i = 0; i < kFramesPerTurn; ++i) {
    if (Overloaded()) {
      paused_ = true;
      // The last answer may have left between the two lines above.
      if (Overloaded() || !paused_.exchange(false)) return;
    }
    auto progress = reader_.Next(*stream_, frame);
    if (!progress.has_value()) return Refuse(progress.error());
    switch (*progress) {
      case FrameReader::Progress::kWantRead:
        return WaitReadable();
      case FrameReader::Progress::kWantWrite:
        return WaitWritable([self = this] { self->Read(); });
      case FrameReader::Progress::kClosed:
        return Close();
      case FrameReader::Progress::kFrame:
        ++frames_;
        TakeFrame(std::move(frame));
    }
    if (state_ != State::kOpen && state_ != State::kExpectHello) return;
  }
  asio::post(worker_->io, [self = shared_from_this()] { self->Read(); });
}

bool ServerConnection::Overloaded() const {
  return unanswered_bytes_.load() > kMaxUnansweredBytes || writer_.queued_bytes() > kMaxUnsentBytes;
}

void ServerConnection::ResumeIfPaused() {
  if (closed_ || Overloaded() || !paused_.exchange(false)) return;
  asio::post(worker_->io, [self = shared_from_this()] { self->Read(); });
}

void ServerConnection::TakeFrame(Frame frame) {
  bool dropped = false;
  if (CutByFault(FaultOperation::kReceive, dropped)) return Close();
  if (dropped) return;
  if (state_ == State::kExpectHello) return TakeHello(frame);
  switch (frame.header.kind) {
    case FrameKind::kRequest:
      return TakeRequest(std::move(frame));
    case FrameKind::kResponse:
      return;  // to a request that was never sent: nobody waits for it
    case FrameKind::kGoodbye:
      return Close();
    case FrameKind::kHello:
      return Refuse(Status::Error(ErrorCode::kCorruption, "a second Hello"));
  }
}

void ServerConnection::TakeHello(const Frame& frame) {
  auto hello = ParseHello(frame);
  if (!hello.has_value()) return Refuse(hello.error());
  if (refuse_) return Refuse(Status::Error(ErrorCode::kUnavailable, "too many connections"));
  const Result<FrameService> service = shared_->choose(*hello);
  if (!service.has_value()) return Refuse(service.error());
  Status checked = CheckHello(service->hello, *hello);
  if (!checked.ok()) return Refuse(checked);
  if (peer_.kind == PeerIdentity::Kind::kCertificate) peer_.name = stream_->PeerName();
  peer_.hello = *std::move(hello);
  dispatcher_ = service->dispatcher;
  const std::shared_ptr<ServerWorker> worker = shared_->WorkerOf(service->lane);
  worker == nullptr ? Open(service->hello) : MoveTo(worker, service->hello);
}

void ServerConnection::MoveTo(const std::shared_ptr<ServerWorker>& worker, const v1::Hello& ours) {
  const std::shared_ptr<ServerConnection> self = shared_from_this();
  worker_->connections.erase(self);
  descriptor_.release();
  state_ = State::kMoving;
  // By way of the own loop: whoever called this has looked at state_ for the last time then.
  asio::post(worker_->io, [self, worker, ours] {
    asio::post(worker->io, [self, worker, ours] { self->Arrive(worker, ours); });
  });
}

void ServerConnection::Arrive(const std::shared_ptr<ServerWorker>& worker,
                              const v1::Hello& ours) {
  descriptor_ = asio::posix::stream_descriptor(worker->io, stream_->descriptor());
  worker_ = worker;
  worker->connections.insert(shared_from_this());
  if (shared_->stopped) return Close();
  Open(ours);
  Read();  // what came behind the Hello is in reader_, and nothing will wake us for it
}

void ServerConnection::Open(const v1::Hello& ours) {
  state_ = State::kOpen;
  FrameHeader header;
  header.kind = FrameKind::kHello;
  auto answer = MakeFrame(header, ours, {});
  if (answer.has_value()) Send(*std::move(answer));
}

void ServerConnection::TakeRequest(Frame frame) {
  if (shared_->stopped) return;
  auto method = static_cast<v1::Method>(frame.header.method);
  size_t bytes = sizeof(FrameCall) + frame.body.size() + frame.payload.size();
  unanswered_bytes_ += bytes;
  dispatcher_->Dispatch(
      method, std::make_shared<FrameCall>(shared_from_this(), std::move(frame), bytes));
}

void ServerConnection::Answer(OutgoingFrame frame, size_t request_bytes) {
  unanswered_bytes_ -= request_bytes;
  if (!closed_) Send(std::move(frame));
  ResumeIfPaused();
}

void ServerConnection::Send(OutgoingFrame frame) {
  bool dropped = false;
  bool cut = CutByFault(FaultOperation::kSend, dropped);
  if (dropped) return;
  auto progress = cut ? Fail(ErrorCode::kUnavailable, "cut by a fault rule")
                      : writer_.Send(std::move(frame));
  if (!progress.has_value()) {
    stream_->Shutdown();  // the reading side, on its own thread, finds the end and closes
  } else if (*progress == FrameWriter::Progress::kBlocked) {
    asio::post(worker_->io, [self = shared_from_this()] {
      if (!self->closed_) self->WaitWritable([raw = self.get()] { raw->ContinueWriting(); });
    });
  }
}

void ServerConnection::ContinueWriting() {
  auto progress = writer_.Continue();
  if (!progress.has_value()) return Close();
  if (*progress == FrameWriter::Progress::kBlocked) WaitWritable([this] { ContinueWriting(); });
  ResumeIfPaused();
}

bool ServerConnection::CutByFault(FaultOperation operation, bool& dropped) {
  if (shared_->faults == nullptr) return false;
  auto rule = shared_->faults->Match(operation, peer_.address);
  if (!rule.has_value()) return false;
  if (rule->kind == FaultKind::kDelay) std::this_thread::sleep_for(rule->delay);
  dropped = rule->kind == FaultKind::kDrop;
  return !dropped && rule->kind != FaultKind::kDelay;
}

void ServerConnection::Refuse(const Status& why) {
  LOG_WARN("connection refused peer={} cause={}", peer_.address, why.ToString());
  SayGoodbye(why);
  closed_ = true;
  (void)shutdown(stream_->descriptor(), SHUT_WR);
  state_ = State::kLingering;
  idle_sweeps_ = 0;
  Linger();
}

void ServerConnection::SayGoodbye(const Status& why) {
  FrameHeader header;
  header.kind = FrameKind::kGoodbye;
  auto goodbye = MakeFrame(header, MakeDetail(why), {});
  if (goodbye.has_value()) (void)writer_.Send(*std::move(goodbye));
}

void ServerConnection::EndForStop() {
  if (state_ == State::kOpen) {
    SayGoodbye(Status::Error(ErrorCode::kUnavailable, "the server stops"));
  }
  Close();
}

void ServerConnection::Linger() {
  std::array<std::byte, 16384> thrown_away;
  while (true) {
    ssize_t got = recv(stream_->descriptor(), thrown_away.data(), thrown_away.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return WaitReadable();
    if (got <= 0) return Close();
    lingered_bytes_ += static_cast<size_t>(got);
    if (lingered_bytes_ > kMaxLingerBytes) return Close();
  }
}

void ServerConnection::Sweep() {
  bool moved = frames_ != frames_at_sweep_;
  frames_at_sweep_ = frames_;
  bool may_rest = state_ == State::kOpen && (moved || !reader_.in_frame() || paused_);
  idle_sweeps_ = may_rest ? 0 : idle_sweeps_ + 1;
  if (state_ == State::kExpectHello && idle_sweeps_ > kHelloSweeps) {
    Refuse(Status::Error(ErrorCode::kDeadlineExceeded, "no Hello within {} s", kHelloSweeps));
  } else if (state_ == State::kOpen && idle_sweeps_ > kUnfinishedFrameSweeps) {
    Refuse(Status::Error(ErrorCode::kDeadlineExceeded, "a frame was not finished within {} s",
                         kUnfinishedFrameSweeps));
  } else if (state_ == State::kLingering && idle_sweeps_ > kLingerSweeps) {
    Close();
  }
  size_t unsent = writer_.queued_bytes();
  stuck_sweeps_ = unsent > 0 && unsent == unsent_at_sweep_ ? stuck_sweeps_ + 1 : 0;
  unsent_at_sweep_ = unsent;
  if (stuck_sweeps_ > kUnsentAnswerSweeps) {
    LOG_WARN("connection closed peer={} cause=it takes no answers", peer_.address);
    Close();
  }
}

void ServerConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  closed_ = true;
  if (descriptor_.is_open()) descriptor_.release();
  stream_->Shutdown();
  --shared_->connections;
  worker_->connections.erase(shared_from_this());
}

}  // namespace cairn

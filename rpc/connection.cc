#include "rpc/connection.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "absl/time/time.h"
#include "common/await.h"
#include "rpc/dial.h"
#include "rpc/hello.h"

namespace cairn {
namespace {

// A caller that gets this far ahead of its peer is told so instead of filling memory.
constexpr size_t kMaxQueuedBytes = 128u << 20;

uint32_t MillisecondsLeft(Deadline deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.Left()).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(left, 1, UINT32_MAX));
}

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream, Options options)
    : options_(std::move(options)),
      stream_(std::move(stream)),
      writer_(*stream_, kMaxQueuedBytes) {}

Connection::~Connection() {
  options_.poller->Unwatch(stream_->descriptor());
  int descriptor = writable_descriptor_.load();
  if (descriptor < 0) return;
  options_.poller->Unwatch(descriptor);
  close(descriptor);
}

Status Connection::Start() {
  FrameHeader header;
  header.kind = FrameKind::kHello;
  ASSIGN_OR_RETURN(OutgoingFrame frame, MakeFrame(header, options_.hello, {}));
  ASSIGN_OR_RETURN(FrameWriter::Progress progress, SendFrame(std::move(frame)));
  if (progress == FrameWriter::Progress::kBlocked) WatchWriting();
  return OkStatus();
}

Result<RawReply> Connection::Call(v1::Method method, const google::protobuf::MessageLite& request,
                                  Payload payload, Deadline deadline) {
  ASSIGN_OR_RETURN(PendingPointer call, Register(deadline, nullptr));
  auto progress = FrameWriter::Progress::kDone;
  Status sent = SendRequest(*call, method, request, std::move(payload), progress);
  if (!sent.ok()) {
    absl::MutexLock lock(&mu_);
    pending_.erase(call->id);
    // Our frame may have left, and been answered, before another's failed.
    if (call->done) return std::move(call->result);
    return Fail(sent);
  }
  return Await(*call, progress == FrameWriter::Progress::kBlocked);
}

void Connection::CallAsync(v1::Method method, const google::protobuf::MessageLite& request,
                           Payload payload, Deadline deadline, Channel::Callback done) {
  auto call = Register(deadline, done);
  if (!call.has_value()) return done(Fail(call.error()));
  auto progress = FrameWriter::Progress::kDone;
  Status sent = SendRequest(**call, method, request, std::move(payload), progress);
  if (!sent.ok()) {
    {
      absl::MutexLock lock(&mu_);
      // Whoever takes the call out of the table answers it.
      if (pending_.erase((*call)->id) == 0) return;
    }
    return done(Fail(sent));
  }
  if (progress == FrameWriter::Progress::kBlocked) WatchWriting();
  PlanExpiry(deadline.at());
  bool arm = false;
  {
    absl::MutexLock lock(&mu_);
    if (reading_ == Reader::kNobody) arm = PassReading();
  }
  if (arm) WatchReading();
}

Result<Connection::PendingPointer> Connection::Register(Deadline deadline,
                                                        Channel::Callback callback) {
  auto call = std::make_shared<PendingCall>(deadline, std::move(callback));
  absl::MutexLock lock(&mu_);
  if (broken_ || goodbye_) return Fail(why_);
  call->id = ++last_id_;
  pending_.emplace(call->id, call);
  return call;
}

Status Connection::SendRequest(PendingCall& call, v1::Method method,
                               const google::protobuf::MessageLite& request, Payload payload,
                               FrameWriter::Progress& progress) {
  FrameHeader header;
  header.kind = FrameKind::kRequest;
  header.method = static_cast<uint16_t>(method);
  header.request_id = call.id;
  header.time_left_ms = MillisecondsLeft(call.deadline);
  ASSIGN_OR_RETURN(OutgoingFrame frame, MakeFrame(header, request, std::move(payload)));
  ASSIGN_OR_RETURN(progress, SendFrame(std::move(frame)));
  return OkStatus();
}

std::optional<FaultRule> Connection::Fault(FaultOperation operation) {
  if (options_.faults == nullptr) return std::nullopt;
  auto rule = options_.faults->Match(operation, options_.peer);
  if (rule.has_value() && rule->kind == FaultKind::kDelay) {
    std::this_thread::sleep_for(rule->delay);
    return std::nullopt;
  }
  return rule;
}

Result<FrameWriter::Progress> Connection::SendFrame(OutgoingFrame frame) {
  if (auto fault = Fault(FaultOperation::kSend)) {
    if (fault->kind == FaultKind::kDrop) return FrameWriter::Progress::kDone;
    Break(Status::Error(ErrorCode::kUnavailable, "{}: cut by a fault rule", options_.peer));
    return Fail(broken_because());
  }
  auto progress = writer_.Send(std::move(frame));
  if (!progress.has_value()) {
    Status why = Explain(progress.error());
    // A full queue fails this call only; the connection goes on.
    if (!writer_.broken()) return Fail(std::move(why));
    HearLastWords();
    Break(std::move(why));
    return Fail(broken_because());
  }
  return progress;
}

// ---- Waiting -----------------------------------------------------------------------------------

Result<RawReply> Connection::Await(PendingCall& call, bool owns_writing) {
  mu_.Lock();
  while (!call.done && !call.deadline.Passed()) {
    bool was_armed = false;
    if (TakeReading(call, was_armed)) {
      mu_.Unlock();
      if (was_armed) options_.poller->Unwatch(stream_->descriptor());
      Lead(call, owns_writing);
      ReleaseReading();
      mu_.Lock();
    } else if (owns_writing) {
      mu_.Unlock();
      FinishWriting(call, owns_writing);
      mu_.Lock();
    } else {
      waiting_.push_back(&call);
      WaitAWhile(call.changed, mu_, call.deadline);
      std::erase(waiting_, &call);
    }
  }
  bool leads = std::exchange(call.leads, false);
  bool done = call.done;
  pending_.erase(call.id);
  mu_.Unlock();
  if (leads) ReleaseReading();
  if (owns_writing) WatchWriting();
  if (done) return std::move(call.result);
  return Fail(ErrorCode::kDeadlineExceeded, "{} did not answer in time", options_.peer);
}

bool Connection::TakeReading(PendingCall& call, bool& was_armed) {
  if (std::exchange(call.leads, false)) return true;
  if (reading_ == Reader::kBusy) return false;
  was_armed = reading_ == Reader::kArmed;
  reading_ = Reader::kBusy;
  return true;
}

void Connection::Lead(PendingCall& call, bool& owns_writing) {
  std::vector<Completed> completed;
  for (bool readable = false; !call.done; readable = true) {
    if (readable || !reader_.exhausted()) ReadAvailable(&call, completed);
    if (!completed.empty()) RunOnPoller(std::exchange(completed, {}));
    if (call.done || call.deadline.Passed()) return;
    auto events = static_cast<short>(owns_writing ? POLLIN | POLLOUT : POLLIN);
    short ready = PollUntil(stream_->descriptor(), events, call.deadline);
    if ((ready & POLLOUT) != 0) ContinueWriting(owns_writing);
  }
}

void Connection::FinishWriting(PendingCall& call, bool& owns_writing) {
  if (PollUntil(stream_->descriptor(), POLLOUT, call.deadline) != 0) ContinueWriting(owns_writing);
}

void Connection::ContinueWriting(bool& owns_writing) {
  auto progress = writer_.Continue();
  owns_writing = progress.has_value() && *progress == FrameWriter::Progress::kBlocked;
  if (!progress.has_value()) Break(Explain(progress.error()));
}

// Gives the reading role to a blocked caller, to the poller, or to nobody when none is waiting.
void Connection::ReleaseReading() {
  std::vector<Completed> completed;
  bool arm = false;
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      arm = PassReading();
      // What is buffered in here would never make the descriptor readable.
      if (!arm || reader_.exhausted()) break;
      reading_ = Reader::kBusy;
    }
    ReadAvailable(nullptr, completed);
  }
  if (!completed.empty()) RunOnPoller(std::move(completed));
  if (arm) WatchReading();
}

// True when the poller is to be armed.
bool Connection::PassReading() {
  reading_ = Reader::kNobody;
  if (broken_ || pending_.empty()) return false;
  if (!waiting_.empty()) {
    PendingCall* next = waiting_.back();
    waiting_.pop_back();  // a second role must not go to the same caller
    next->leads = true;
    reading_ = Reader::kBusy;
    next->changed.Signal();
    return false;
  }
  reading_ = Reader::kArmed;
  return true;
}

bool Connection::Usable() {
  {
    absl::MutexLock lock(&mu_);
    if (broken_ || goodbye_) return false;
    if (reading_ != Reader::kNobody) return true;
    reading_ = Reader::kBusy;
  }
  std::vector<Completed> completed;
  reader_.Refresh();
  ReadAvailable(nullptr, completed);
  if (!completed.empty()) RunOnPoller(std::move(completed));
  ReleaseReading();
  absl::MutexLock lock(&mu_);
  return !broken_ && !goodbye_;
}

v1::Hello Connection::peer_hello() const {
  absl::MutexLock lock(&mu_);
  return peer_hello_;
}

Status Connection::broken_because() const {
  absl::MutexLock lock(&mu_);
  return why_;
}

}  // namespace cairn

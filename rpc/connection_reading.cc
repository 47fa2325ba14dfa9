// The reading half of Connection: what arrives, and what the poller does for it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "rpc/connection.h"
#include "rpc/hello.h"

namespace cairn {

// What the calls of a broken connection are told: kUnavailable, unless trying again is vain until
// somebody acts.
Status Connection::Explain(const Status& cause) const {
  switch (cause.code()) {
    case ErrorCode::kWrongCluster:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kUnimplemented:
      return Status::Error(cause.code(), "{}: {}", options_.peer, cause.message());
    default:
      return Status::Error(ErrorCode::kUnavailable, "{}: {}", options_.peer, cause.message());
  }
}

void Connection::ReadAvailable(const PendingCall* own, std::vector<Completed>& completed) {
  Frame frame;
  while (own == nullptr || !own->done) {
    auto progress = reader_.Next(*stream_, frame);
    if (!progress.has_value()) {
      return Break(Explain(progress.error()));
    }
    if (*progress == FrameReader::Progress::kClosed) {
      return Break(Status::Error(ErrorCode::kUnavailable, "{} closed the connection",
                                 options_.peer));
    }
    if (*progress != FrameReader::Progress::kFrame) return;
    Status taken = TakeFrame(std::move(frame), completed);
    if (!taken.ok()) return Break(std::move(taken));
  }
}

void Connection::HearLastWords() {
  bool was_armed = false;
  {
    absl::MutexLock lock(&mu_);
    if (reading_ == Reader::kBusy) return;
    was_armed = std::exchange(reading_, Reader::kBusy) == Reader::kArmed;
  }
  if (was_armed) options_.poller->Unwatch(stream_->descriptor());
  std::vector<Completed> completed;
  reader_.Refresh();
  ReadAvailable(nullptr, completed);
  if (!completed.empty()) RunOnPoller(std::move(completed));
  ReleaseReading();
}

Status Connection::TakeFrame(Frame frame, std::vector<Completed>& completed) {
  if (auto fault = Fault(FaultOperation::kReceive)) {
    if (fault->kind == FaultKind::kDrop) return OkStatus();
    return Status::Error(ErrorCode::kUnavailable, "{}: cut by a fault rule", options_.peer);
  }
  if (frame.header.kind == FrameKind::kGoodbye) {
    absl::MutexLock lock(&mu_);
    Status told = ParseDetail(frame);
    goodbye_ = true;
    why_ = Explain(told);
    return OkStatus();
  }
  if (!saw_hello()) return TakeHello(frame);
  switch (frame.header.kind) {
    case FrameKind::kResponse:
      TakeResponse(std::move(frame), completed);
      return OkStatus();
    case FrameKind::kRequest:
      RefuseRequest(frame.header);
      return OkStatus();
    case FrameKind::kHello:
    case FrameKind::kGoodbye:
      break;
  }
  return Status::Error(ErrorCode::kCorruption, "{}: a second Hello", options_.peer);
}

Status Connection::TakeHello(const Frame& frame) {
  auto hello = ParseHello(frame);
  if (!hello.has_value()) return Explain(hello.error());
  Status checked = CheckHello(options_.hello, *hello);
  if (!checked.ok()) return Explain(checked);
  absl::MutexLock lock(&mu_);
  peer_hello_ = *std::move(hello);
  saw_hello_ = true;
  return OkStatus();
}

void Connection::TakeResponse(Frame frame, std::vector<Completed>& completed) {
  Result<RawReply> result;
  if (frame.header.code == 0) {
    result = RawReply{std::move(frame.body), std::move(frame.payload)};
  } else {
    result = Fail(ParseDetail(frame));
  }
  absl::MutexLock lock(&mu_);
  auto found = pending_.find(frame.header.request_id);
  if (found == pending_.end()) return;  // its caller has given up
  PendingPointer call = std::move(found->second);
  pending_.erase(found);
  if (call->callback != nullptr) {
    completed.push_back({std::move(call->callback), std::move(result)});
    return;
  }
  call->result = std::move(result);
  call->done = true;
  call->changed.Signal();
}

// Servers send no requests yet; one from a later version is answered, not mistaken for damage.
void Connection::RefuseRequest(const FrameHeader& request) {
  FrameHeader header;
  header.kind = FrameKind::kResponse;
  header.request_id = request.request_id;
  header.code = static_cast<uint16_t>(ErrorCode::kUnimplemented);
  auto frame = MakeFrame(
      header, MakeDetail(Status(ErrorCode::kUnimplemented, "this client takes no requests")), {});
  auto progress = SendFrame(std::move(*frame));
  if (progress.has_value() && *progress == FrameWriter::Progress::kBlocked) WatchWriting();
}

void Connection::Break(Status why) {
  std::vector<Completed> completed;
  {
    absl::MutexLock lock(&mu_);
    if (broken_) return;
    broken_ = true;
    if (!goodbye_) why_ = std::move(why);
    for (auto& [id, call] : pending_) {
      if (call->callback != nullptr) {
        completed.push_back({std::move(call->callback), Fail(why_)});
        continue;
      }
      call->result = Fail(why_);
      call->done = true;
      call->changed.Signal();
    }
    pending_.clear();
  }
  stream_->Shutdown();
  if (!completed.empty()) RunOnPoller(std::move(completed));
}

void Connection::WatchReading() {
  options_.poller->WatchOnce(stream_->descriptor(), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->OnReadable();
  });
}

void Connection::OnReadable() {
  {
    absl::MutexLock lock(&mu_);
    if (reading_ != Reader::kArmed) return;  // a caller took the role first
    reading_ = Reader::kBusy;
  }
  std::vector<Completed> completed;
  reader_.Refresh();
  ReadAvailable(nullptr, completed);
  for (auto& one : completed) one.callback(std::move(one.result));
  ReleaseReading();
}

// The descriptor itself may be watched for reading at the same time, hence the dup.
void Connection::WatchWriting() {
  int descriptor = writable_descriptor_.load();
  if (descriptor < 0) {
    descriptor = dup(stream_->descriptor());
    if (descriptor < 0) return Break(Status::FromErrno(errno, "dup"));
    writable_descriptor_ = descriptor;
  }
  options_.poller->WatchOnce(
      descriptor,
      [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->OnWritable();
      },
      Poller::Until::kWritable);
}

void Connection::OnWritable() {
  bool owns_writing = true;
  ContinueWriting(owns_writing);
  if (owns_writing) WatchWriting();
}

// One timer for all calls of the connection, set to the earliest.
void Connection::PlanExpiry(BootTime when) {
  {
    absl::MutexLock lock(&mu_);
    if (when >= next_expiry_) return;
    next_expiry_ = when;
  }
  options_.poller->RunAt(when, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->ExpireCalls();
  });
}

void Connection::ExpireCalls() {
  std::vector<Completed> expired;
  BootTime next{Duration::max()};
  {
    absl::MutexLock lock(&mu_);
    next_expiry_ = next;
    for (auto it = pending_.begin(); it != pending_.end();) {
      auto here = it++;
      PendingCall& call = *here->second;
      if (call.callback == nullptr) continue;
      if (!call.deadline.Passed()) {
        next = std::min(next, call.deadline.at());
        continue;
      }
      expired.push_back({std::move(call.callback),
                         Fail(ErrorCode::kDeadlineExceeded, "{} did not answer in time",
                              options_.peer)});
      pending_.erase(here);
    }
  }
  for (auto& one : expired) one.callback(std::move(one.result));
  if (next.since_boot != Duration::max()) PlanExpiry(next);
}

// Callbacks never run on a caller's thread, which may hold locks they want.
void Connection::RunOnPoller(std::vector<Completed> completed) {
  auto shared = std::make_shared<std::vector<Completed>>(std::move(completed));
  options_.poller->RunAt(SystemClock().Now(), [shared] {
    for (auto& one : *shared) one.callback(std::move(one.result));
  });
}

}  // namespace cairn

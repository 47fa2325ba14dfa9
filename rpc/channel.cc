#include "rpc/channel.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/await.h"
#include "common/logging.h"
#include "rpc/connection.h"
#include "rpc/dial.h"
#include "rpc/hello.h"

namespace cairn {
namespace {

constexpr Duration kFirstBackOff = std::chrono::milliseconds(100);
constexpr Duration kLongestBackOff = std::chrono::seconds(1);
// A connect that took so long and failed says something about the server, not about a hasty caller.
constexpr Duration kLongEnough = std::chrono::seconds(1);

class FrameChannel final : public Channel {
 public:
  FrameChannel(Address address, ChannelOptions options, std::shared_ptr<Poller> poller)
      : address_(std::move(address)),
        name_(address_.ToString()),
        options_(std::move(options)),
        poller_(std::move(poller)) {
    options_.hello = WithVersions(options_.hello);
  }
  ~FrameChannel() override { Close(); }

  Result<RawReply> CallRaw(v1::Method method, const google::protobuf::MessageLite& request,
                           Payload payload, Deadline deadline) override {
    ASSIGN_OR_RETURN(auto connection, Connected(deadline));
    return connection->Call(method, request, std::move(payload), deadline);
  }

  void CallAsync(v1::Method method, const google::protobuf::MessageLite& request, Payload payload,
                 Deadline deadline, Callback done) override {
    auto connection = Connected(deadline);
    if (!connection.has_value()) return done(Fail(connection.error()));
    (*connection)->CallAsync(method, request, std::move(payload), deadline, std::move(done));
  }

  const Address& address() const override { return address_; }

  v1::Hello peer() const override {
    absl::MutexLock lock(&mu_);
    if (connection_ != nullptr && connection_->saw_hello()) return connection_->peer_hello();
    return last_peer_;
  }

  void Close() override {
    std::shared_ptr<Connection> connection;
    {
      absl::MutexLock lock(&mu_);
      closed_ = true;
      connection = std::move(connection_);
      connection_ = nullptr;
      changed_.SignalAll();
    }
    if (connection != nullptr) {
      connection->Break(Status::Error(ErrorCode::kCancelled, "the channel to {} is closed", name_));
    }
  }

 private:
  using ConnectionPointer = std::shared_ptr<Connection>;

  Result<ConnectionPointer> Connected(Deadline deadline);
  void Forget(const ConnectionPointer& broken);
  Result<ConnectionPointer> Connect(Deadline deadline);
  Status ConnectFault(Deadline deadline);
  void NoteFailure(const Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Address address_;
  const std::string name_;
  ChannelOptions options_;
  const std::shared_ptr<Poller> poller_;

  mutable absl::Mutex mu_;
  absl::CondVar changed_;
  ConnectionPointer connection_ ABSL_GUARDED_BY(mu_);
  bool connecting_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  v1::Hello last_peer_ ABSL_GUARDED_BY(mu_);
  // Until then calls fail at once with last_failure_: a dead server must not cost every call a
  // connect timeout.
  BootTime retry_at_ ABSL_GUARDED_BY(mu_){};
  Duration back_off_ ABSL_GUARDED_BY(mu_) = kFirstBackOff;
  Status last_failure_ ABSL_GUARDED_BY(mu_);
};

Result<FrameChannel::ConnectionPointer> FrameChannel::Connected(Deadline deadline) {
  while (true) {
    ConnectionPointer current;
    {
      absl::MutexLock lock(&mu_);
      while (connecting_ && !closed_) {
        WaitAWhile(changed_, mu_, deadline);
        if (connecting_ && deadline.Passed()) {
          return Fail(ErrorCode::kDeadlineExceeded, "no connection to {} in time", name_);
        }
      }
      if (closed_) return Fail(ErrorCode::kCancelled, "the channel to {} is closed", name_);
      current = connection_;
      if (current == nullptr) {
        if (SystemClock().Now() < retry_at_) return Fail(last_failure_);
        connecting_ = true;
      }
    }
    if (current == nullptr) return Connect(deadline);
    if (current->Usable()) return current;
    Forget(current);
  }
}

void FrameChannel::Forget(const ConnectionPointer& broken) {
  absl::MutexLock lock(&mu_);
  if (connection_ != broken) return;
  if (broken->saw_hello()) {
    last_peer_ = broken->peer_hello();
    back_off_ = kFirstBackOff;
  } else {
    NoteFailure(broken->broken_because());
  }
  connection_ = nullptr;
}

// REQUIRES: connecting_ was set by this thread.
Result<FrameChannel::ConnectionPointer> FrameChannel::Connect(Deadline deadline) {
  bool in_a_hurry = deadline.Left() < std::min<Duration>(options_.connect_timeout, kLongEnough);
  bool own_limit = deadline.Left() < options_.connect_timeout;
  Deadline until = own_limit ? deadline : Deadline::After(options_.connect_timeout);
  Result<ConnectionPointer> connection;
  Status faulty = ConnectFault(until);
  auto stream = faulty.ok() ? Dial(address_, options_.tls.get(), options_.resolver, until)
                            : Result<std::unique_ptr<Stream>>(Fail(faulty));
  if (stream.has_value()) {
    connection = std::make_shared<Connection>(
        *std::move(stream), Connection::Options{name_, options_.hello, poller_, options_.faults});
    Status started = (*connection)->Start();
    if (!started.ok()) connection = Fail(started);
  } else {
    connection = Fail(stream.error());
  }

  absl::MutexLock lock(&mu_);
  connecting_ = false;
  changed_.SignalAll();
  if (closed_) return Fail(ErrorCode::kCancelled, "the channel to {} is closed", name_);
  if (connection.has_value()) {
    connection_ = *connection;
  } else if (in_a_hurry && deadline.Passed()) {
    // Says more about the caller than about the server: the next one tries for itself.
    return Fail(ErrorCode::kDeadlineExceeded, "{}", connection.error().message());
  } else {
    NoteFailure(connection.error());
  }
  return connection;
}

Status FrameChannel::ConnectFault(Deadline deadline) {
  if (options_.faults == nullptr) return OkStatus();
  auto rule = options_.faults->Match(FaultOperation::kConnect, name_);
  if (!rule.has_value()) return OkStatus();
  if (rule->kind == FaultKind::kDelay) {
    std::this_thread::sleep_for(rule->delay);
    return OkStatus();
  }
  // A dropped connect is silence until the time is up.
  if (rule->kind == FaultKind::kDrop) std::this_thread::sleep_for(deadline.Left());
  return Status::Error(ErrorCode::kUnavailable, "connect to {}: refused by a fault rule", name_);
}

void FrameChannel::NoteFailure(const Status& why) {
  LOG_DEBUG("connection failed peer={} cause={}", name_, why.ToString());
  last_failure_ = why;
  retry_at_ = SystemClock().Now() + back_off_;
  back_off_ = std::min(back_off_ * 2, kLongestBackOff);
}

}  // namespace

std::shared_ptr<Channel> MakeChannel(Address address, ChannelOptions options,
                                     std::shared_ptr<Poller> poller) {
  return std::make_shared<FrameChannel>(std::move(address), std::move(options), std::move(poller));
}

}  // namespace cairn

#include "rpc/grpc_unary.h"

#include <grpc/grpc_security_constants.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "rpc/grpc_status.h"

namespace cairn {

namespace {
constexpr Duration kLongestCall = std::chrono::seconds(60);  // for clients that name no deadline

Deadline DeadlineOf(const grpc::ServerContextBase& context) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  return Deadline::After(std::clamp<Duration>(left, Duration::zero(), kLongestCall));
}

PeerIdentity IdentityOf(const grpc::ServerContextBase& context) {
  PeerIdentity identity;
  identity.address = context.peer();
  const auto names = context.auth_context()->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (context.auth_context()->IsPeerAuthenticated()) {
    identity.kind = PeerIdentity::Kind::kCertificate;
    if (!names.empty()) identity.name = {names[0].data(), names[0].size()};
  }
  return identity;
}

// Whoever claims it first finishes the call: the handler, or the reactor when the client is gone.
// The reactor and its context live until then.
class Claim {
 public:
  bool Take() { return !taken_.exchange(true); }

 private:
  std::atomic<bool> taken_{false};
};

class UnaryReactor final : public grpc::ServerGenericBidiReactor {
 public:
  UnaryReactor(const Dispatcher& dispatcher, v1::Method method,
               grpc::GenericCallbackServerContext& context)
      : dispatcher_(dispatcher), method_(method), context_(context) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override;
  void OnCancel() override {
    if (claim_->Take()) Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client went away"));
  }
  void OnDone() override { delete this; }

  // REQUIRES: the caller took the claim.
  void Succeed(const google::protobuf::MessageLite& response) {
    const std::string bytes = response.SerializeAsString();
    grpc::Slice slice(bytes);
    response_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void Refuse(const Status& status) { Finish(ToGrpc(status, context_)); }

 private:
  const Dispatcher& dispatcher_;
  const v1::Method method_;
  grpc::GenericCallbackServerContext& context_;
  const std::shared_ptr<Claim> claim_ = std::make_shared<Claim>();
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class GrpcServerCall final : public ServerCall {
 public:
  GrpcServerCall(UnaryReactor& reactor, std::shared_ptr<Claim> claim, grpc::Slice body,
                 const grpc::ServerContextBase& context)
      : reactor_(reactor), claim_(std::move(claim)), body_(std::move(body)),
        peer_(IdentityOf(context)), deadline_(DeadlineOf(context)) {}
  ~GrpcServerCall() override {
    Fail(Status(ErrorCode::kInternal, "the call was dropped without an answer"));
  }

  std::string_view body() const override {
    return {reinterpret_cast<const char*>(body_.begin()), body_.size()};
  }
  const Payload& payload() const override { return no_payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return deadline_; }

  void Reply(const google::protobuf::MessageLite& response, Payload payload) override {
    if (!payload.empty()) {
      Fail(Status(ErrorCode::kNotSupported, "the answer has a payload: call this over frames"));
    } else if (response.ByteSizeLong() > static_cast<size_t>(kMaxGrpcMessageSize)) {
      Fail(Status::Error(ErrorCode::kTooLarge, "the answer has {} bytes", response.ByteSizeLong()));
    } else if (claim_->Take()) {
      reactor_.Succeed(response);
    }
  }
  void Fail(const Status& status) override {
    if (claim_->Take()) reactor_.Refuse(status);
  }

 private:
  UnaryReactor& reactor_;
  const std::shared_ptr<Claim> claim_;
  const grpc::Slice body_;
  const PeerIdentity peer_;
  const Deadline deadline_;
  const Payload no_payload_;
};

void UnaryReactor::OnReadDone(bool ok) {
  auto body = Flatten(request_);
  if (ok && body.has_value()) {
    dispatcher_.Dispatch(method_, std::make_shared<GrpcServerCall>(
                                      *this, claim_, std::move(*body), context_));
  } else if (claim_->Take()) {
    Refuse(Status(ErrorCode::kInvalidArgument, "the call has no request"));
  }
}

class RefusingReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusingReactor(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};
}  // namespace

grpc::ServerGenericBidiReactor* NewUnaryCall(const Dispatcher& dispatcher, v1::Method method,
                                             grpc::GenericCallbackServerContext& context) {
  return new UnaryReactor(dispatcher, method, context);
}

grpc::ServerGenericBidiReactor* NewRefusedCall(const Status& status,
                                               grpc::GenericCallbackServerContext& context) {
  return new RefusingReactor(ToGrpc(status, context));
}

}  // namespace cairn

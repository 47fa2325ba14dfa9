// Which handler serves which method. A handler knows no carrier: frames and gRPC call the same one.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "cairn/v1/hello.pb.h"
#include "cairn/v1/methods.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/payload.h"

namespace cairn {

// Who is at the other end, as far as the carrier can vouch for it.
struct PeerIdentity {
  enum class Kind { kUnixSocket, kCertificate, kNone };  // kNone: TCP without TLS, tests only
  Kind kind = Kind::kNone;
  uint32_t uid = 0;     // kUnixSocket: of the peer process, as are gid and groups
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  std::string name;     // kCertificate: common name
  std::string address;  // for logs
  v1::Hello hello;      // what it said of itself (frames only)
};

// One request on its way to an answer. Every call is answered exactly once; a call that is dropped
// unanswered answers kInternal, so that no caller waits for nothing. Thread-safe after creation.
class ServerCall {
 public:
  virtual ~ServerCall() = default;
  virtual std::string_view body() const = 0;
  virtual const Payload& payload() const = 0;
  virtual const PeerIdentity& peer() const = 0;
  virtual Deadline deadline() const = 0;
  // From any thread; the bytes are on their way or queued on return, never blocks on the peer.
  virtual void Reply(const google::protobuf::MessageLite& response, Payload payload) = 0;
  virtual void Fail(const Status& status) = 0;
};

// A typed handle on a ServerCall; copies are the same call.
template <typename Request, typename Response>
class Call {
 public:
  Call(std::shared_ptr<ServerCall> call, std::shared_ptr<const Request> request)
      : call_(std::move(call)), request_(std::move(request)) {}

  const Request& request() const { return *request_; }
  const Payload& payload() const { return call_->payload(); }
  const PeerIdentity& peer() const { return call_->peer(); }
  Deadline deadline() const { return call_->deadline(); }

  void Reply(const Response& response, Payload payload = {}) const {
    call_->Reply(response, std::move(payload));
  }
  void Fail(const Status& status) const { call_->Fail(status); }
  // The common ending of a handler.
  void Finish(const Result<Response>& result) const {
    result.has_value() ? Reply(*result) : Fail(result.error());
  }

 private:
  std::shared_ptr<ServerCall> call_;
  std::shared_ptr<const Request> request_;
};

// Filled before the server starts, constant afterwards. Handlers run on the carrier's threads, must
// not block on another call, and are called in frame order for one connection.
class Dispatcher {
 public:
  using RawHandler = std::function<void(std::shared_ptr<ServerCall>)>;

  void HandleRaw(v1::Method method, RawHandler handler);

  // `handler` is void(Call<Request, Response>). A body that does not parse is answered with
  // kInvalidArgument and never reaches it.
  template <typename Request, typename Response, typename F>
  void Handle(v1::Method method, F handler) {
    HandleRaw(method, [handler = std::move(handler)](std::shared_ptr<ServerCall> call) {
      auto request = std::make_shared<Request>();
      if (!request->ParseFromArray(call->body().data(), static_cast<int>(call->body().size()))) {
        call->Fail(Status::Error(ErrorCode::kInvalidArgument, "the request does not parse as {}",
                                 request->GetTypeName()));
        return;
      }
      handler(Call<Request, Response>(std::move(call), std::move(request)));
    });
  }

  // Answers kUnimplemented for a method nobody handles.
  void Dispatch(v1::Method method, std::shared_ptr<ServerCall> call) const;

 private:
  absl::flat_hash_map<int, RawHandler> handlers_;
};

}  // namespace cairn

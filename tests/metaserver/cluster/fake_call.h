// A call that keeps its answer.
#pragma once

#include <string>
#include <utility>

#include "rpc/dispatcher.h"

namespace cairn {

class FakeCall final : public ServerCall {
 public:
  explicit FakeCall(std::string body = "", PeerIdentity peer = {})
      : body_(std::move(body)), peer_(std::move(peer)) {}

  std::string_view body() const override { return body_; }
  const Payload& payload() const override { return payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return Deadline::After(std::chrono::seconds(10)); }
  void Reply(const google::protobuf::MessageLite& response, Payload) override {
    status = OkStatus();
    answer = response.SerializeAsString();
  }
  void Fail(const Status& why) override { status = why; }

  Status status{ErrorCode::kInternal, "unanswered"};
  std::string answer;

 private:
  std::string body_;
  Payload payload_;
  PeerIdentity peer_;
};

template <typename Response>
Result<Response> Ask(const Dispatcher& dispatcher, v1::Method method,
                     const google::protobuf::MessageLite& request) {
  const auto call = std::make_shared<FakeCall>(request.SerializeAsString());
  dispatcher.Dispatch(method, call);
  RETURN_IF_ERROR(call->status);
  Response response;
  CAIRN_CHECK(response.ParseFromString(call->answer));
  return response;
}

}  // namespace cairn

// One request that came in a frame.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "rpc/dispatcher.h"
#include "rpc/server_connection.h"

namespace cairn {

// Thread-safe.
class FrameCall final : public ServerCall {
 public:
  // `bytes` is what the connection counts as unanswered until the answer.
  FrameCall(std::shared_ptr<ServerConnection> connection, Frame request, size_t bytes);
  ~FrameCall() override;

  std::string_view body() const override { return request_.body; }
  const Payload& payload() const override { return request_.payload; }
  const PeerIdentity& peer() const override { return connection_->peer(); }
  Deadline deadline() const override { return deadline_; }
  void Reply(const google::protobuf::MessageLite& response, Payload payload) override;
  void Fail(const Status& status) override;

 private:
  bool TakeAnswer();
  void SendFailure(const Status& status);

  const std::shared_ptr<ServerConnection> connection_;
  const Frame request_;
  const size_t bytes_;
  const Deadline deadline_;
  std::atomic<bool> answered_{false};
};

}  // namespace cairn

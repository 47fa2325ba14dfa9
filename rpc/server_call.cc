#include "rpc/server_call.h"

#include "common/logging.h"
#include "rpc/hello.h"

namespace cairn {

FrameCall::FrameCall(std::shared_ptr<ServerConnection> connection, Frame request, size_t bytes)
    : connection_(std::move(connection)),
      request_(std::move(request)),
      bytes_(bytes),
      deadline_(Deadline::After(std::chrono::milliseconds(request_.header.time_left_ms))) {}

FrameCall::~FrameCall() {
  if (answered_) return;
  SendFailure(Status::Error(ErrorCode::kInternal, "method {} was dropped unanswered",
                            request_.header.method));
}

bool FrameCall::TakeAnswer() {
  if (!answered_.exchange(true)) return true;
  LOG_ERROR("call answered twice method={}", request_.header.method);
  return false;
}

void FrameCall::Reply(const google::protobuf::MessageLite& response, Payload payload) {
  if (!TakeAnswer()) return;
  FrameHeader header;
  header.kind = FrameKind::kResponse;
  header.method = request_.header.method;
  header.request_id = request_.header.request_id;
  auto frame = MakeFrame(header, response, std::move(payload));
  frame.has_value() ? connection_->Answer(*std::move(frame), bytes_) : SendFailure(frame.error());
}

void FrameCall::Fail(const Status& status) {
  if (TakeAnswer()) SendFailure(status);
}

void FrameCall::SendFailure(const Status& status) {
  CAIRN_CHECK(!status.ok());
  FrameHeader header;
  header.kind = FrameKind::kResponse;
  header.method = request_.header.method;
  header.request_id = request_.header.request_id;
  header.code = static_cast<uint16_t>(status.code());
  auto frame = MakeFrame(header, MakeDetail(status), {});
  connection_->Answer(*std::move(frame), bytes_);
}

}  // namespace cairn

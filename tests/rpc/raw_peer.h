// A client that sends whatever bytes a test likes.
#pragma once

#include <poll.h>

#include <memory>
#include <string>

#include "cairn/v1/common.pb.h"
#include "cairn/v1/methods.pb.h"
#include "rpc/dial.h"
#include "rpc/frame_reader.h"
#include "rpc/frame_writer.h"
#include "rpc/hello.h"

namespace cairn {

class RawPeer {
 public:
  explicit RawPeer(const Address& address) {
    auto stream = Dial(address, nullptr, nullptr, Patience());
    CAIRN_CHECK(stream.has_value());
    stream_ = *std::move(stream);
  }

  // What the server refuses to read may fail to be sent; tests look at what comes back.
  void Send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      iovec piece{const_cast<char*>(bytes.data()) + sent, bytes.size() - sent};
      IoResult result = stream_->Write({&piece, 1});
      if (result.state == IoState::kFailed) return;
      sent += result.bytes;
      if (result.state != IoState::kOk) PollUntil(stream_->descriptor(), POLLOUT, Patience());
    }
  }
  void SendHello(const v1::Hello& hello) {
    FrameHeader header;
    header.kind = FrameKind::kHello;
    Send(MakeFrame(header, hello, {})->head);
  }
  void SendHello(const std::string& cluster) {
    v1::Hello hello = WithVersions({});
    hello.set_cluster_id(cluster);
    SendHello(hello);
  }
  void EndSending() { (void)shutdown(stream_->descriptor(), SHUT_WR); }

  Result<Frame> Receive() {
    Frame frame;
    Deadline until = Patience();
    while (!until.Passed()) {
      ASSIGN_OR_RETURN(auto progress, reader_.Next(*stream_, frame));
      if (progress == FrameReader::Progress::kFrame) return frame;
      if (progress == FrameReader::Progress::kClosed) {
        return Fail(ErrorCode::kUnavailable, "closed");
      }
      PollUntil(stream_->descriptor(), POLLIN, until);
    }
    return Fail(ErrorCode::kDeadlineExceeded, "nothing came");
  }
  bool AtEnd() {
    auto frame = Receive();
    return !frame.has_value() && frame.error().code() == ErrorCode::kUnavailable;
  }

  static std::string HeaderBytes(const FrameHeader& header) {
    auto bytes = EncodeFrameHeader(header);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::string RawRequestFrame(v1::Method method, const std::string& body) {
    FrameHeader header;
    header.method = static_cast<uint16_t>(method);
    header.request_id = 1;
    header.time_left_ms = 10'000;
    header.body_bytes = static_cast<uint32_t>(body.size());
    return HeaderBytes(header) + body;
  }
  static std::string RequestFrame(v1::Method method, const std::string& text) {
    v1::StatusDetail body;
    body.set_message(text);
    return RawRequestFrame(method, body.SerializeAsString());
  }

 private:
  static Deadline Patience() { return Deadline::After(std::chrono::seconds(15)); }

  std::unique_ptr<Stream> stream_;
  FrameReader reader_;
};

}  // namespace cairn

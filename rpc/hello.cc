#include "rpc/hello.h"

#include <algorithm>
#include <string_view>

namespace cairn {
namespace {

constexpr size_t kMaxMessageBytes = 4096;

// Each side checks it: one of an older version does not know that somebody else is wanted.
Status CheckWanted(const v1::Hello& caller, const v1::Hello& server) {
  const uint32_t wanted = caller.wanted_server();
  if (wanted == 0 || wanted == server.server()) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "server {} is wanted, but server {} listens here",
                       wanted, server.server());
}

// A proto3 string that is not UTF-8 would not parse at the other end, and names from disk need not
// be UTF-8.
bool IsUtf8(std::string_view text) {
  size_t follow = 0;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool continues = (byte & 0xc0) == 0x80;
    if (continues != (follow > 0)) return false;
    if (continues) {
      --follow;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      follow = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    }
  }
  return follow == 0;
}

}  // namespace

v1::Hello WithVersions(v1::Hello hello) {
  if (hello.max_version() != 0) return hello;
  hello.set_min_version(kProtocolVersion);
  hello.set_max_version(kProtocolVersion);
  return hello;
}

Status CheckHello(const v1::Hello& ours, const v1::Hello& theirs) {
  if (theirs.max_version() < ours.min_version() || ours.max_version() < theirs.min_version()) {
    return Status::Error(ErrorCode::kUnimplemented,
                         "the peer speaks protocol versions {} to {}, this side {} to {}",
                         theirs.min_version(), theirs.max_version(), ours.min_version(),
                         ours.max_version());
  }
  if (!ours.cluster_id().empty() && !theirs.cluster_id().empty() &&
      ours.cluster_id() != theirs.cluster_id()) {
    return Status::Error(ErrorCode::kWrongCluster,
                         "the peer belongs to cluster {}, this side to cluster {}",
                         theirs.cluster_id(), ours.cluster_id());
  }
  RETURN_IF_ERROR(CheckWanted(theirs, ours));
  return CheckWanted(ours, theirs);
}

Result<v1::Hello> ParseHello(const Frame& frame) {
  v1::Hello hello;
  if (frame.header.kind != FrameKind::kHello || !hello.ParseFromString(frame.body)) {
    return Fail(ErrorCode::kCorruption, "the first frame is no Hello");
  }
  return hello;
}

v1::StatusDetail MakeDetail(const Status& why) {
  std::string message = why.message().substr(0, kMaxMessageBytes);
  if (!IsUtf8(message)) {
    std::replace_if(
        message.begin(), message.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  v1::StatusDetail detail;
  detail.set_code(static_cast<uint32_t>(why.code()));
  detail.set_message(std::move(message));
  return detail;
}

Status ParseDetail(const Frame& frame) {
  v1::StatusDetail detail;
  bool readable = detail.ParseFromString(frame.body);
  auto code = static_cast<ErrorCode>(frame.header.code != 0 ? frame.header.code : detail.code());
  if (code == ErrorCode::kOk) code = ErrorCode::kUnavailable;
  return Status(code, readable ? detail.message() : "the peer's words do not parse");
}

}  // namespace cairn

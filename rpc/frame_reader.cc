#include "rpc/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace cairn {
namespace {

// Small frames come whole with one read; of a large payload at most this much is copied twice.
constexpr size_t kBufferBytes = 16u << 10;

}  // namespace

Result<FrameReader::Progress> FrameReader::Next(Stream& stream, Frame& frame) {
  exhausted_ = false;
  while (true) {
    ASSIGN_OR_RETURN(bool whole, Assemble());
    if (whole) {
      frame = std::move(current_);
      current_ = Frame();
      has_header_ = false;
      payload_filled_ = 0;
      return Progress::kFrame;
    }
    ASSIGN_OR_RETURN(Progress progress, Fill(stream));
    if (progress != Progress::kFrame) return progress;
  }
}

Result<bool> FrameReader::Assemble() {
  if (!has_header_) {
    if (buffered() < kFrameHeaderBytes) return false;
    auto bytes = std::span<const std::byte, kFrameHeaderBytes>(buffer_.get() + begin_,
                                                               kFrameHeaderBytes);
    ASSIGN_OR_RETURN(current_.header, DecodeFrameHeader(bytes));
    begin_ += kFrameHeaderBytes;
    has_header_ = true;
  }
  // The body grows with the bytes that really came, whatever the header claims.
  size_t body_take = std::min(buffered(), current_.header.body_bytes - current_.body.size());
  current_.body.append(reinterpret_cast<const char*>(buffer_.get() + begin_), body_take);
  begin_ += body_take;
  if (current_.body.size() < current_.header.body_bytes) return false;
  if (current_.header.payload_bytes == 0) return true;

  if (current_.payload.empty()) {
    current_.payload = Payload::Allocate(current_.header.payload_bytes);
  }
  size_t payload_take = std::min(buffered(), current_.payload.size() - payload_filled_);
  if (payload_take > 0) {
    std::memcpy(current_.payload.writable().data() + payload_filled_, buffer_.get() + begin_,
                payload_take);
  }
  begin_ += payload_take;
  payload_filled_ += payload_take;
  return payload_filled_ == current_.payload.size();
}

Result<FrameReader::Progress> FrameReader::Fill(Stream& stream) {
  if (drained_) {
    drained_ = false;
    exhausted_ = true;
    return Progress::kWantRead;
  }
  IoResult result = ReadInto(stream);
  switch (result.state) {
    case IoState::kOk:
      drained_ = result.drained;
      return Progress::kFrame;
    case IoState::kWantRead:
      exhausted_ = true;
      return Progress::kWantRead;
    case IoState::kWantWrite:
      exhausted_ = true;
      return Progress::kWantWrite;
    case IoState::kClosed:
      if (!in_frame()) return Progress::kClosed;
      return Fail(ErrorCode::kUnavailable, "the peer closed in the middle of a frame");
    case IoState::kFailed:
      break;
  }
  return Fail(stream.error());
}

IoResult FrameReader::ReadInto(Stream& stream) {
  if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<std::byte[]>(kBufferBytes);
  // What is left here is a part of a header at most.
  if (begin_ > 0) std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
  end_ = buffered();
  begin_ = 0;
  std::span<std::byte> room(buffer_.get() + end_, kBufferBytes - end_);
  if (current_.payload.empty()) {
    IoResult result = stream.Read(room, {});
    end_ += result.bytes;
    return result;
  }
  std::span<std::byte> rest = current_.payload.writable().subspan(payload_filled_);
  IoResult result = stream.Read(rest, room);
  size_t direct = std::min(result.bytes, rest.size());
  payload_filled_ += direct;
  end_ += result.bytes - direct;
  return result;
}

}  // namespace cairn

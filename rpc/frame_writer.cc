#include "rpc/frame_writer.h"

#include <array>
#include <cstring>

namespace cairn {
namespace {

constexpr size_t kPiecesPerWrite = 64;

void AddPiece(std::array<iovec, kPiecesPerWrite>& pieces, size_t& count, const void* data,
              size_t size_bytes, size_t& skip) {
  if (skip >= size_bytes) {
    skip -= size_bytes;
    return;
  }
  pieces[count++] = {static_cast<char*>(const_cast<void*>(data)) + skip, size_bytes - skip};
  skip = 0;
}

}  // namespace

Result<OutgoingFrame> MakeFrame(FrameHeader header, const google::protobuf::MessageLite& body,
                                Payload payload) {
  size_t body_bytes = body.ByteSizeLong();
  if (body_bytes > kMaxBodyBytes || payload.size() > kMaxPayloadBytes) {
    return Fail(ErrorCode::kTooLarge, "a frame of {} + {} bytes is over the limits of {} + {}",
                body_bytes, payload.size(), kMaxBodyBytes, kMaxPayloadBytes);
  }
  header.body_bytes = static_cast<uint32_t>(body_bytes);
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  OutgoingFrame frame{std::string(kFrameHeaderBytes + body_bytes, '\0'), std::move(payload)};
  auto encoded = EncodeFrameHeader(header);
  std::memcpy(frame.head.data(), encoded.data(), encoded.size());
  body.SerializeWithCachedSizesToArray(
      reinterpret_cast<uint8_t*>(frame.head.data() + kFrameHeaderBytes));
  return frame;
}

Result<FrameWriter::Progress> FrameWriter::Send(OutgoingFrame frame) {
  size_t size = frame.size_bytes();
  {
    absl::MutexLock lock(&mu_);
    if (broken_) return Fail(ErrorCode::kUnavailable, "the connection is broken");
    if (writing_ && queued_bytes() + size > max_queued_bytes_) {
      return Fail(ErrorCode::kUnavailable, "{} bytes wait to be sent to this peer already",
                  queued_bytes());
    }
    queued_bytes_.fetch_add(size, std::memory_order_relaxed);
    if (writing_) {
      queue_.push_back(std::move(frame));
      return Progress::kQueued;
    }
    writing_ = true;
  }
  batch_.push_back(std::move(frame));
  return Flush();
}

Result<FrameWriter::Progress> FrameWriter::Continue() { return Flush(); }

Result<FrameWriter::Progress> FrameWriter::Flush() {
  do {
    while (batch_next_ < batch_.size()) {
      IoResult result = WriteBatch();
      if (result.state == IoState::kWantWrite) return Progress::kBlocked;
      // A read that is owed first (kWantRead) does not occur after a TLS 1.3 handshake.
      if (result.state != IoState::kOk) return Fail(Break());
      Advance(result.bytes);
    }
  } while (NextBatch());
  return Progress::kDone;
}

IoResult FrameWriter::WriteBatch() {
  std::array<iovec, kPiecesPerWrite> pieces;
  size_t count = 0;
  size_t skip = batch_offset_;
  for (size_t i = batch_next_; i < batch_.size() && count + 2 <= kPiecesPerWrite; ++i) {
    AddPiece(pieces, count, batch_[i].head.data(), batch_[i].head.size(), skip);
    AddPiece(pieces, count, batch_[i].payload.bytes().data(), batch_[i].payload.size(), skip);
  }
  return stream_.Write(std::span(pieces.data(), count));
}

void FrameWriter::Advance(size_t bytes) {
  queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  batch_offset_ += bytes;
  while (batch_next_ < batch_.size() && batch_offset_ >= batch_[batch_next_].size_bytes()) {
    batch_offset_ -= batch_[batch_next_].size_bytes();
    batch_[batch_next_] = OutgoingFrame();  // its payload may be wanted elsewhere
    ++batch_next_;
  }
}

bool FrameWriter::NextBatch() {
  batch_.clear();
  batch_next_ = 0;
  absl::MutexLock lock(&mu_);
  std::swap(batch_, queue_);
  writing_ = !batch_.empty();
  return writing_;
}

Status FrameWriter::Break() {
  absl::MutexLock lock(&mu_);
  broken_ = true;  // the writing role stays taken: nobody writes any more
  queue_.clear();
  Status why = stream_.error();
  return Status::Error(
      why.code() == ErrorCode::kUnauthenticated ? why.code() : ErrorCode::kUnavailable, "{}",
      why.message());
}

}  // namespace cairn

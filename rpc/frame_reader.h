// Frames out of a stream, as far as its bytes have come.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "rpc/frame.h"
#include "rpc/payload.h"
#include "rpc/stream.h"

namespace cairn {

struct Frame {
  FrameHeader header;
  std::string body;
  Payload payload;
};

// Confined to whoever holds the reading role of a connection.
class FrameReader {
 public:
  enum class Progress { kFrame, kWantRead, kWantWrite, kClosed };

  // The next whole frame, or why there is none yet; never blocks. kClosed: the peer ended between
  // two frames. An error ends the connection: kCorruption, kTooLarge, kUnimplemented say what is
  // wrong with the bytes, the rest is the stream's.
  Result<Progress> Next(Stream& stream, Frame& frame);

  // All that came has been handed out: waiting on the descriptor misses nothing.
  bool exhausted() const { return exhausted_; }
  // Makes the next Next() ask the socket, even if the last read emptied it.
  void Refresh() { drained_ = false; }
  // Inside a frame: a peer that stops here holds memory.
  bool in_frame() const { return has_header_ || end_ > begin_; }

 private:
  // Takes from the buffer what the current frame needs; true when it is whole.
  Result<bool> Assemble();
  Result<Progress> Fill(Stream& stream);
  IoResult ReadInto(Stream& stream);
  size_t buffered() const { return end_ - begin_; }

  std::unique_ptr<std::byte[]> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool has_header_ = false;
  bool drained_ = false;    // the last read took all there was
  bool exhausted_ = false;
  size_t payload_filled_ = 0;
  Frame current_;
};

}  // namespace cairn

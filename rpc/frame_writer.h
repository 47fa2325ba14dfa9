// Frames into a stream, from any thread.
#pragma once

#include <google/protobuf/message_lite.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/status.h"
#include "rpc/frame.h"
#include "rpc/payload.h"
#include "rpc/stream.h"

namespace cairn {

struct OutgoingFrame {
  std::string head;  // header and body
  Payload payload;
  size_t size_bytes() const { return head.size() + payload.size(); }
};

// kTooLarge: body or payload is over its limit. The lengths in `header` are filled in.
Result<OutgoingFrame> MakeFrame(FrameHeader header, const google::protobuf::MessageLite& body,
                                Payload payload);

// Frames go out whole and in the order of Send. A thread that finds nobody writing writes at once,
// and takes along what others queue meanwhile; the others return at once. Thread-safe.
class FrameWriter {
 public:
  enum class Progress {
    kDone,     // written
    kQueued,   // another thread writes it
    kBlocked,  // the socket is full: the caller owns the writing role and must see to it that
               // Continue() is called when the socket can be written
  };

  FrameWriter(Stream& stream, size_t max_queued_bytes)
      : stream_(stream), max_queued_bytes_(max_queued_bytes) {}

  // kUnavailable: the stream is broken, or more than max_queued_bytes wait already.
  Result<Progress> Send(OutgoingFrame frame);
  // REQUIRES: the caller owns the writing role.
  Result<Progress> Continue();

  bool broken() const {
    absl::MutexLock lock(&mu_);
    return broken_;
  }
  size_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }

 private:
  Result<Progress> Flush();
  IoResult WriteBatch();
  void Advance(size_t bytes);
  bool NextBatch();
  Status Break();

  Stream& stream_;
  const size_t max_queued_bytes_;
  std::atomic<size_t> queued_bytes_{0};  // not yet taken by the socket

  // Owned by the writing role.
  std::vector<OutgoingFrame> batch_;
  size_t batch_next_ = 0;   // first frame that is not wholly written
  size_t batch_offset_ = 0; // bytes of it that are

  mutable absl::Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<OutgoingFrame> queue_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

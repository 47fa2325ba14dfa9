// Windows of one file that were read ahead, whole or still on their way.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/write_buffer.h"
#include "common/status.h"
#include "rpc/payload.h"

namespace cairn::client {

// One request for [offset, offset + length) of the file; both are multiples of the block size.
// Thread-safe. Whoever holds it may go on waiting for it after the cache has forgotten it: the
// bytes are those of the moment it was asked for or later.
struct ReadAhead {
  // `total` counts the bytes of all that live.
  ReadAhead(uint64_t begin, size_t bytes, std::shared_ptr<std::atomic<uint64_t>> total)
      : offset(begin), length(bytes), total_bytes(std::move(total)) {
    *total_bytes += length;
  }
  ~ReadAhead() { *total_bytes -= length; }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  const uint64_t offset;
  const size_t length;
  const std::shared_ptr<std::atomic<uint64_t>> total_bytes;
  absl::Mutex mu;  // a leaf: nothing is acquired while it is held
  bool done ABSL_GUARDED_BY(mu) = false;
  Status status ABSL_GUARDED_BY(mu);
  Payload payload ABSL_GUARDED_BY(mu);        // not verified yet: each reader checks what it takes
  std::vector<uint32_t> crcs ABSL_GUARDED_BY(mu);
};
using ReadAheadPtr = std::shared_ptr<ReadAhead>;

// Thread-compatible: lives under InodeState::mu.
class ReadCache {
 public:
  ReadAheadPtr Find(uint64_t offset) const;  // the one that holds the block of `offset`
  // Whether something of the window of `offset` was read ahead already.
  bool Covers(uint64_t offset) const { return windows_.contains(offset / kWindowBytes); }
  void Add(ReadAheadPtr entry);
  // Own writes and cuts make what was read ahead wrong.
  void Forget(uint64_t begin, uint64_t end);
  void Clear() { windows_.clear(); bytes_ = 0; }
  uint64_t bytes() const { return bytes_; }

 private:
  std::map<uint64_t, ReadAheadPtr> windows_;  // by window number
  uint64_t bytes_ = 0;
};

}  // namespace cairn::client

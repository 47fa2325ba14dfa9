// A write that has a version and is not yet known to be on every member that must have it.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/chunk.pb.h"
#include "chunkserver/replication/attachment.h"
#include "chunkserver/store/chunk_store.h"
#include "common/clock.h"
#include "common/ids.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Blocks [first, end) of a chunk.
struct BlockRange {
  uint32_t first = 0;
  uint32_t end = 0;
  uint32_t count() const { return end - first; }
  bool Overlaps(const BlockRange& other) const { return first < other.end && other.first < end; }
};

inline BlockRange BlocksOf(uint32_t offset, size_t length) {
  const uint64_t end = uint64_t{offset} + length;
  return {offset / kBlockSize, static_cast<uint32_t>((end + kBlockSize - 1) / kBlockSize)};
}

using WriteCall = Call<v1::WriteChunkRequest, v1::WriteChunkResponse>;

struct PendingWrite {
  enum class Sent { kWaiting, kFailed, kDone };
  struct Target {
    ServerId server;
    Sent state = Sent::kWaiting;
    int attempts = 0;
    std::shared_ptr<Attachment> counted;  // the catch-up that counts this send, until it ends
  };

  // Constant once ordered.
  ChunkId id;
  PgId group;
  ChunkVersion version;
  BlockRange range;
  SessionId session;
  uint64_t sequence = 0;
  v1::WriteChunkRequest request;
  Payload data;

  absl::Mutex mu;
  std::vector<Target> targets ABSL_GUARDED_BY(mu);
  std::vector<WriteCall> calls ABSL_GUARDED_BY(mu);  // the client's, and its retries
  uint64_t trim ABSL_GUARDED_BY(mu) = 0;  // of which generation every member has to make, if any
  bool finished ABSL_GUARDED_BY(mu) = false;
};
using PendingWritePtr = std::shared_ptr<PendingWrite>;

}  // namespace cairn

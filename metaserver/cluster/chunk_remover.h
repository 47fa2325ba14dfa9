// How the metaserver tells a chunkserver to remove chunks.
#pragma once

#include <functional>
#include <memory>

#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/channel_pool.h"

namespace cairn {

// Thread-safe.
class ChunkRemover {
 public:
  virtual ~ChunkRemover() = default;
  // `done` runs exactly once, on any thread.
  virtual void Remove(const v1::ServerRecord& server, const v1::RemoveChunksRequest& request,
                      Deadline deadline, std::function<void(Status)> done) = 0;
};

// Over frames. `channels` must outlive it.
std::unique_ptr<ChunkRemover> MakeChunkRemover(ChannelPool& channels);

}  // namespace cairn

// How the metaserver asks a chunkserver what it stores, and tells it what to set aside.
#pragma once

#include <functional>
#include <memory>

#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "rpc/channel_pool.h"

namespace cairn {

// Thread-safe. `done` runs exactly once, on any thread, soon after the deadline at the latest.
class ChunkInspector {
 public:
  virtual ~ChunkInspector() = default;
  virtual void List(const v1::ServerRecord& server, const v1::ListStoredRequest& request,
                    Deadline deadline,
                    std::function<void(Result<v1::ListStoredResponse>)> done) = 0;
  virtual void SetAside(const v1::ServerRecord& server, const v1::SetAsideRequest& request,
                        Deadline deadline,
                        std::function<void(Result<v1::SetAsideResponse>)> done) = 0;
};

// Over frames. `channels` must outlive it.
std::unique_ptr<ChunkInspector> MakeChunkInspector(ChannelPool& channels);

}  // namespace cairn

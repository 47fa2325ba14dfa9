#include "metaserver/cluster/chunk_remover.h"

#include <utility>

#include "metaserver/cluster/server_channel.h"

namespace cairn {
namespace {

class FrameChunkRemover final : public ChunkRemover {
 public:
  explicit FrameChunkRemover(ChannelPool& channels) : channels_(channels) {}

  void Remove(const v1::ServerRecord& server, const v1::RemoveChunksRequest& request,
              Deadline deadline, std::function<void(Status)> done) override {
    const std::shared_ptr<Channel> channel = ChannelTo(channels_, server);
    channel->CallAsync(v1::CHUNK_REMOVE, request, {}, deadline,
                       [done = std::move(done)](Result<RawReply> reply) {
                         done(reply.has_value() ? OkStatus() : reply.error());
                       });
  }

 private:
  ChannelPool& channels_;
};

}  // namespace

std::unique_ptr<ChunkRemover> MakeChunkRemover(ChannelPool& channels) {
  return std::make_unique<FrameChunkRemover>(channels);
}

}  // namespace cairn

#include "metaserver/cluster/chunk_inspector.h"

#include <utility>

#include "metaserver/cluster/server_channel.h"

namespace cairn {
namespace {

class FrameChunkInspector final : public ChunkInspector {
 public:
  explicit FrameChunkInspector(ChannelPool& channels) : channels_(channels) {}

  void List(const v1::ServerRecord& server, const v1::ListStoredRequest& request,
            Deadline deadline, std::function<void(Result<v1::ListStoredResponse>)> done) override {
    Call(server, v1::CHUNK_LIST_STORED, request, deadline, std::move(done));
  }
  void SetAside(const v1::ServerRecord& server, const v1::SetAsideRequest& request,
                Deadline deadline,
                std::function<void(Result<v1::SetAsideResponse>)> done) override {
    Call(server, v1::CHUNK_SET_ASIDE, request, deadline, std::move(done));
  }

 private:
  template <typename Request, typename Response>
  void Call(const v1::ServerRecord& server, v1::Method method, const Request& request,
            Deadline deadline, std::function<void(Result<Response>)> done) {
    const std::shared_ptr<Channel> channel = ChannelTo(channels_, server);
    channel->CallAsync(method, request, {}, deadline,
                       [done = std::move(done)](const Result<RawReply>& reply) {
                         if (!reply.has_value()) return done(Fail(reply.error()));
                         done(reply->Parse<Response>());
                       });
  }

  ChannelPool& channels_;
};

}  // namespace

std::unique_ptr<ChunkInspector> MakeChunkInspector(ChannelPool& channels) {
  return std::make_unique<FrameChunkInspector>(channels);
}

}  // namespace cairn

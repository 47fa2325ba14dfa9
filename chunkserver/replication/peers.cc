#include "chunkserver/replication/peers.h"

#include <utility>

namespace cairn {

std::shared_ptr<Channel> ChannelPeers::Find(ServerId server) {
  const std::optional<ServerLocation> location = table_.Locate(server);
  if (!location.has_value() || closed_) return nullptr;
  return ChannelTo(*location);
}

void ChannelPeers::Close() {
  closed_ = true;
  for (const ServerLocation& location : table_.Servers()) {
    ChannelTo(location)->Close();
  }
}

// Behind its address there may be other disks, or another process by now.
std::shared_ptr<Channel> ChannelPeers::ChannelTo(const ServerLocation& location) {
  return channels_.Get(ChooseAddress(location.frames), location.id);
}

void ChannelPeers::CallAsync(ServerId to, v1::Method method,
                             const google::protobuf::MessageLite& request, Payload payload,
                             Deadline deadline, Channel::Callback done) {
  const std::shared_ptr<Channel> channel = Find(to);
  if (channel == nullptr) {
    done(Fail(ErrorCode::kUnavailable, "the address of server {} is not known", to));
    return;
  }
  channel->CallAsync(method, request, std::move(payload), deadline, std::move(done));
}

Result<RawReply> ChannelPeers::CallRaw(ServerId to, v1::Method method,
                                       const google::protobuf::MessageLite& request,
                                       Payload payload, Deadline deadline) {
  const std::shared_ptr<Channel> channel = Find(to);
  if (channel == nullptr) {
    return Fail(ErrorCode::kUnavailable, "the address of server {} is not known", to);
  }
  return channel->CallRaw(method, request, std::move(payload), deadline);
}

}  // namespace cairn

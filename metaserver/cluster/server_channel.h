// The way to one disk of a chunkserver.
#pragma once

#include <memory>

#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "rpc/address.h"
#include "rpc/channel_pool.h"

namespace cairn {

// Whoever else listens at its address by now refuses the calls: kUnavailable.
inline std::shared_ptr<Channel> ChannelTo(ChannelPool& channels, const v1::ServerRecord& server) {
  return channels.Get(ChooseAddress(server.frames()), ServerId(server.id()));
}

}  // namespace cairn

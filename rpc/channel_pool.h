// The channels of one process: one for each server, which is an address and, where several listen
// behind it, an id.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"
#include "rpc/channel.h"
#include "rpc/poller.h"

namespace cairn {

// Thread-safe.
class ChannelPool {
 public:
  explicit ChannelPool(ChannelOptions options, std::string thread_name = "rpc-poller");
  ~ChannelPool();  // closes all channels

  // The channel to `address`, made when first asked for; connects when first used.
  // `wanted`: who must answer there; 0: whoever does. The disks of a chunkserver share an address.
  std::shared_ptr<Channel> Get(const Address& address, ServerId wanted = ServerId(0));
  void SetHello(const v1::Hello& hello);  // for channels made from now on
  const std::shared_ptr<Poller>& poller() const { return poller_; }

 private:
  using Channels =
      absl::flat_hash_map<std::pair<std::string, uint32_t>, std::shared_ptr<Channel>>;

  std::shared_ptr<Poller> poller_;
  absl::Mutex mu_;
  ChannelOptions options_ ABSL_GUARDED_BY(mu_);
  Channels channels_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

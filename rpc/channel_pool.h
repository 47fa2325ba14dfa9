// The channels of one process, one per address.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "rpc/channel.h"
#include "rpc/poller.h"

namespace cairn {

// Thread-safe.
class ChannelPool {
 public:
  explicit ChannelPool(ChannelOptions options, std::string thread_name = "rpc-poller");
  ~ChannelPool();  // closes all channels

  // The channel to `address`, made when first asked for; connects when first used.
  std::shared_ptr<Channel> Get(const Address& address);
  void SetHello(const v1::Hello& hello);  // for channels made from now on
  const std::shared_ptr<Poller>& poller() const { return poller_; }

 private:
  std::shared_ptr<Poller> poller_;
  absl::Mutex mu_;
  ChannelOptions options_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, std::shared_ptr<Channel>> channels_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

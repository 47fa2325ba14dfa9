#include "rpc/channel_pool.h"

namespace cairn {

ChannelPool::ChannelPool(ChannelOptions options, std::string thread_name)
    : poller_(Poller::Start(std::move(thread_name))), options_(std::move(options)) {}

ChannelPool::~ChannelPool() {
  Channels channels;
  {
    absl::MutexLock lock(&mu_);
    channels.swap(channels_);
  }
  for (auto& [name, channel] : channels) channel->Close();
}

std::shared_ptr<Channel> ChannelPool::Get(const Address& address, ServerId wanted) {
  absl::MutexLock lock(&mu_);
  std::shared_ptr<Channel>& channel = channels_[{address.ToString(), wanted.value}];
  if (channel != nullptr) return channel;
  ChannelOptions options = options_;
  options.hello.set_wanted_server(wanted.value);
  channel = MakeChannel(address, std::move(options), poller_);
  return channel;
}

void ChannelPool::SetHello(const v1::Hello& hello) {
  absl::MutexLock lock(&mu_);
  options_.hello = hello;
}

}  // namespace cairn

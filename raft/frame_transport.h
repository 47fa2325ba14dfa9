// Members of a group talk over frames: a request is a call of RAFT_STEP, its reply the answer.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "raft/raft_node.h"
#include "rpc/channel_pool.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Thread-safe. As long as a peer answers, messages to it leave on the sender's own thread: a
// hand-off would cost as much as the network does. To one that does not they leave on a thread of
// its own, because connecting may block.
class FrameTransport final : public RaftTransport {
 public:
  // How an address in the membership is dialled; nullopt: it does not parse.
  using AddressOf = std::function<std::optional<Address>(const std::string&)>;
  FrameTransport(ChannelPool& channels, AddressOf address_of);
  ~FrameTransport() override;  // Stop()s

  // Who takes replies. Set before the first Send.
  void SetNode(RaftNode* node) { node_ = node; }
  void SetMembers(const raft::Membership& membership) override;
  void Send(raft::Message message) override;
  // Closes the channels; no reply is delivered afterwards. Not to be called by the node's
  // callbacks.
  void Stop();

 private:
  struct Peer;
  void Drain(Peer& peer);
  void SendNow(Peer& peer, Channel& channel, const raft::Message& message);
  void Answered(Peer& peer, const Result<RawReply>& reply);
  void Run(Peer& peer);

  ChannelPool& channels_;
  const AddressOf address_of_;
  RaftNode* node_ = nullptr;
  absl::Mutex mu_;
  std::map<ServerId, std::shared_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Channel>> left_ ABSL_GUARDED_BY(mu_);  // of addresses that were left
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;  // calls without an answer yet
};

// Serves RAFT_STEP for `node`: from metaservers of the cluster that `cluster_id` names alone.
void RegisterRaftService(Dispatcher& dispatcher, RaftNode& node,
                         std::function<std::string()> cluster_id);

}  // namespace cairn

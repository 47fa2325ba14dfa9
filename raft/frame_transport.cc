#include "raft/frame_transport.h"

#include <pthread.h>

#include <utility>

#include "common/logging.h"
#include "raft/raft_wire.h"
#include "rpc/peer_trust.h"

namespace cairn {

namespace {

// A reply may wait for the peer's disk. The last piece of a snapshot waits until it is installed.
constexpr Duration kReplyTime = std::chrono::seconds(5);
constexpr Duration kInstallTime = std::chrono::seconds(60);
// More messages than that waiting for one peer are not worth sending any more.
constexpr size_t kLongestQueue = 64;

Duration PatienceFor(const raft::Message& message) {
  return std::holds_alternative<raft::SnapshotPiece>(message.body) ? kInstallTime : kReplyTime;
}

bool IsMetaserver(const PeerIdentity& peer) {
  if (peer.kind == PeerIdentity::Kind::kCertificate && !peer.name.starts_with("metaserver")) {
    return false;
  }
  return IsTrusted(peer) && peer.hello.role() == v1::ROLE_METASERVER;
}

}  // namespace

struct FrameTransport::Peer {
  ServerId id;
  std::string address;  // guarded by FrameTransport::mu_
  absl::Mutex mu;
  std::shared_ptr<Channel> channel ABSL_GUARDED_BY(mu);  // null: the address does not parse
  absl::CondVar changed;
  std::deque<raft::Message> queue ABSL_GUARDED_BY(mu);
  bool sending ABSL_GUARDED_BY(mu) = false;  // somebody empties the queue
  bool answers ABSL_GUARDED_BY(mu) = false;  // it answered the last time
  bool stopping ABSL_GUARDED_BY(mu) = false;
  std::thread thread;
};

FrameTransport::FrameTransport(ChannelPool& channels, AddressOf address_of)
    : channels_(channels), address_of_(std::move(address_of)) {}

FrameTransport::~FrameTransport() {
  Stop();
}

void FrameTransport::SetMembers(const raft::Membership& membership) {
  absl::MutexLock lock(&mu_);
  if (stopped_) return;
  for (ServerId id : membership.All()) {
    const std::string& address = *membership.AddressOf(id);
    std::shared_ptr<Peer>& peer = peers_[id];
    if (peer != nullptr && peer->address == address) continue;
    const bool is_new = peer == nullptr;
    if (is_new) peer = std::make_shared<Peer>();
    peer->id = id;
    peer->address = address;  // one that was removed may come again elsewhere
    std::shared_ptr<Channel> channel;
    if (const std::optional<Address> target = address_of_(address)) {
      channel = channels_.Get(*target);
    } else {
      LOG_WARN("the address of a metaserver does not parse server={}", id);
    }
    {
      absl::MutexLock peer_lock(&peer->mu);
      peer->channel.swap(channel);
    }
    if (channel != nullptr) left_.push_back(std::move(channel));
    if (is_new) peer->thread = std::thread([this, raw = peer.get()] { Run(*raw); });
  }
}

void FrameTransport::Send(raft::Message message) {
  std::shared_ptr<Peer> peer;
  {
    absl::MutexLock lock(&mu_);
    const auto found = peers_.find(message.to);
    if (stopped_ || found == peers_.end()) return;
    peer = found->second;
  }
  {
    absl::MutexLock lock(&peer->mu);
    if (peer->channel == nullptr) return;
    peer->queue.push_back(std::move(message));
    if (peer->queue.size() > kLongestQueue) peer->queue.pop_front();
    if (peer->sending) return;
    if (!peer->answers) return peer->changed.Signal();
    peer->sending = true;
  }
  Drain(*peer);
}

// REQUIRES: `sending` was set by this thread.
void FrameTransport::Drain(Peer& peer) {
  for (;;) {
    raft::Message message;
    std::shared_ptr<Channel> channel;
    {
      absl::MutexLock lock(&peer.mu);
      if (peer.queue.empty() || peer.stopping) {
        peer.sending = false;
        return;
      }
      message = std::move(peer.queue.front());
      peer.queue.pop_front();
      channel = peer.channel;
    }
    if (channel != nullptr) SendNow(peer, *channel, message);
  }
}

void FrameTransport::Run(Peer& peer) {
  pthread_setname_np(pthread_self(), "raft-send");
  for (;;) {
    {
      absl::MutexLock lock(&peer.mu);
      while (!peer.stopping && (peer.queue.empty() || peer.sending)) peer.changed.Wait(&peer.mu);
      if (peer.stopping) return;
      peer.sending = true;
    }
    Drain(peer);
  }
}

void FrameTransport::SendNow(Peer& peer, Channel& channel, const raft::Message& message) {
  {
    absl::MutexLock lock(&mu_);
    if (stopped_) return;
    ++under_way_;
  }
  v1::RaftStepRequest request;
  *request.mutable_message() = ToProto(message);
  channel.CallAsync(v1::RAFT_STEP, request, {}, Deadline::After(PatienceFor(message)),
                    [this, &peer](const Result<RawReply>& reply) { Answered(peer, reply); });
}

void FrameTransport::Answered(Peer& peer, const Result<RawReply>& reply) {
  {
    absl::MutexLock lock(&peer.mu);
    const bool late = !reply && reply.error().code() == ErrorCode::kDeadlineExceeded;
    if (!late) peer.answers = reply.has_value();
    if (!peer.queue.empty()) peer.changed.Signal();
  }
  if (reply) {
    const Result<v1::RaftStepResponse> response = reply->Parse<v1::RaftStepResponse>();
    if (response && response->has_reply()) {
      const Result<raft::Message> message = FromProto(response->reply());
      if (message && message->from == peer.id) node_->HandleReply(*message);
    }
  } else if (reply.error().code() == ErrorCode::kNotFound) {
    node_->NoteStranger(peer.id);
  }
  absl::MutexLock lock(&mu_);
  --under_way_;
}

void FrameTransport::Stop() {
  std::map<ServerId, std::shared_ptr<Peer>> peers;
  std::vector<std::shared_ptr<Channel>> left;
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
    peers = peers_;
    left.swap(left_);
  }
  for (const std::shared_ptr<Channel>& channel : left) channel->Close();
  for (auto& [id, peer] : peers) {
    std::shared_ptr<Channel> channel;
    {
      absl::MutexLock lock(&peer->mu);
      peer->stopping = true;
      peer->changed.SignalAll();
      channel = peer->channel;
    }
    if (channel != nullptr) channel->Close();
    if (peer->thread.joinable()) peer->thread.join();
  }
  absl::MutexLock lock(&mu_);
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return under_way_ == 0; };
  mu_.Await(absl::Condition(&idle));  // a closed channel has failed them all
}

void RegisterRaftService(Dispatcher& dispatcher, RaftNode& node,
                         std::function<std::string()> cluster_id) {
  dispatcher.Handle<v1::RaftStepRequest, v1::RaftStepResponse>(
      v1::RAFT_STEP, [&node, cluster_id = std::move(cluster_id)](auto call) {
        const v1::RaftMessage& proto = call.request().message();
        if (const std::string& theirs = call.peer().hello.cluster_id(); theirs != cluster_id()) {
          return call.Fail(Status::Error(ErrorCode::kWrongCluster, "this is cluster {}, not {}",
                                         cluster_id(), theirs));
        }
        if (!IsMetaserver(call.peer()) || call.peer().hello.server() != proto.from()) {
          return call.Fail(Status(ErrorCode::kPermission, "not a message of that metaserver"));
        }
        Result<raft::Message> message = FromProto(proto);
        if (!message) return call.Fail(message.error());
        node.HandleRequest(*std::move(message), [call](Result<std::optional<raft::Message>> reply) {
          if (!reply) return call.Fail(reply.error());
          v1::RaftStepResponse response;
          if (*reply) *response.mutable_reply() = ToProto(**reply);
          call.Reply(response);
        });
      });
}

}  // namespace cairn

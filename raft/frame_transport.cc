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
  std::string address;
  std::shared_ptr<Channel> channel;  // null: the address does not parse
  absl::Mutex mu;
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
    if (peer != nullptr) continue;  // ids are never used twice, nor do members move
    peer = std::make_shared<Peer>();
    peer->id = id;
    peer->address = address;
    if (const std::optional<Address> target = address_of_(address)) {
      peer->channel = channels_.Get(*target);
    } else {
      LOG_WARN("the address of a metaserver does not parse server={}", id);
    }
    peer->thread = std::thread([this, raw = peer.get()] { Run(*raw); });
  }
}

void FrameTransport::Send(raft::Message message) {
  std::shared_ptr<Peer> peer;
  {
    absl::MutexLock lock(&mu_);
    const auto found = peers_.find(message.to);
    if (stopped_ || found == peers_.end() || found->second->channel == nullptr) return;
    peer = found->second;
  }
  {
    absl::MutexLock lock(&peer->mu);
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
    {
      absl::MutexLock lock(&peer.mu);
      if (peer.queue.empty() || peer.stopping) {
        peer.sending = false;
        return;
      }
      message = std::move(peer.queue.front());
      peer.queue.pop_front();
    }
    SendNow(peer, message);
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

void FrameTransport::SendNow(Peer& peer, const raft::Message& message) {
  {
    absl::MutexLock lock(&mu_);
    if (stopped_) return;
    ++under_way_;
  }
  v1::RaftStepRequest request;
  *request.mutable_message() = ToProto(message);
  peer.channel->CallAsync(v1::RAFT_STEP, request, {}, Deadline::After(PatienceFor(message)),
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
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
    peers = peers_;
  }
  for (auto& [id, peer] : peers) {
    {
      absl::MutexLock lock(&peer->mu);
      peer->stopping = true;
      peer->changed.SignalAll();
    }
    if (peer->channel != nullptr) peer->channel->Close();
    if (peer->thread.joinable()) peer->thread.join();
  }
  absl::MutexLock lock(&mu_);
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return under_way_ == 0; };
  mu_.Await(absl::Condition(&idle));  // a closed channel has failed them all
}

void RegisterRaftService(Dispatcher& dispatcher, RaftNode& node) {
  dispatcher.Handle<v1::RaftStepRequest, v1::RaftStepResponse>(v1::RAFT_STEP, [&node](auto call) {
    const v1::RaftMessage& proto = call.request().message();
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

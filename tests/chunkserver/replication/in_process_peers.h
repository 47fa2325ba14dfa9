// A network inside the test: each link delivers in order on a thread of its own, until it is cut,
// held or made to lose answers.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/peers.h"
#include "rpc/dispatcher.h"

namespace cairn {

// A call that is handed to a Dispatcher directly. Fails with kInternal when dropped unanswered.
class DirectCall final : public ServerCall {
 public:
  DirectCall(const google::protobuf::MessageLite& request, Payload payload, PeerIdentity peer,
             Deadline deadline, Channel::Callback done);
  ~DirectCall() override;

  std::string_view body() const override { return body_; }
  const Payload& payload() const override { return payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return deadline_; }
  void Reply(const google::protobuf::MessageLite& response, Payload payload) override;
  void Fail(const Status& status) override;

 private:
  void Answer(Result<RawReply> reply);

  const std::string body_;
  const Payload payload_;
  const PeerIdentity peer_;
  const Deadline deadline_;
  absl::Mutex mu_;
  Channel::Callback done_ ABSL_GUARDED_BY(mu_);
};

// Thread-safe.
class Network {
 public:
  ~Network();

  // Null: the server is down. On return the old one gets no call any more.
  void SetServer(ServerId server, Dispatcher* dispatcher);
  void Cut(ServerId from, ServerId to, bool cut = true);
  // Frames of `method` wait on this link, and all behind them.
  void Hold(ServerId from, ServerId to, v1::Method method);
  void ReleaseAll();
  // The next `count` answers to `method` on this link are lost, the requests are handled.
  void LoseAnswers(ServerId from, ServerId to, v1::Method method, int count);
  int Held(ServerId from, ServerId to);

  void Send(ServerId from, ServerId to, v1::Method method,
            std::shared_ptr<ServerCall> call, const Channel::Callback& fail);
  // False: the answer is lost.
  bool LetAnswerPass(ServerId from, ServerId to, v1::Method method);

 private:
  struct Frame {
    v1::Method method;
    std::shared_ptr<ServerCall> call;
    Channel::Callback fail;
  };
  struct Link {
    std::deque<Frame> frames;
    std::optional<v1::Method> held;
    bool cut = false;
    bool delivering = false;
    std::map<int, int> lost_answers;
    std::thread thread;
  };
  Link& LinkOf(ServerId from, ServerId to) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run(ServerId to, Link* link);

  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::pair<ServerId, ServerId>, std::unique_ptr<Link>> links_ ABSL_GUARDED_BY(mu_);
  std::map<ServerId, Dispatcher*> servers_ ABSL_GUARDED_BY(mu_);
};

class InProcessPeers final : public Peers {
 public:
  InProcessPeers(Network& network, ServerId self) : network_(network), self_(self) {}
  void CallAsync(ServerId to, v1::Method method, const google::protobuf::MessageLite& request,
                 Payload payload, Deadline deadline, Channel::Callback done) override;
  Result<RawReply> CallRaw(ServerId to, v1::Method method,
                           const google::protobuf::MessageLite& request, Payload payload,
                           Deadline deadline) override;
  // No callback runs after it returns: what is still to come is dropped.
  void Close();

 private:
  struct Callbacks {
    absl::Mutex mu;
    bool closed ABSL_GUARDED_BY(mu) = false;
    int running ABSL_GUARDED_BY(mu) = 0;
  };
  Network& network_;
  const ServerId self_;
  const std::shared_ptr<Callbacks> callbacks_ = std::make_shared<Callbacks>();
};

}  // namespace cairn

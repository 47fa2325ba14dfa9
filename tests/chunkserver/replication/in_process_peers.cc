#include "tests/chunkserver/replication/in_process_peers.h"

#include <utility>
#include <vector>

namespace cairn {

DirectCall::DirectCall(const google::protobuf::MessageLite& request, Payload payload,
                       PeerIdentity peer, Deadline deadline, Channel::Callback done)
    : body_(request.SerializeAsString()),
      payload_(std::move(payload)),
      peer_(std::move(peer)),
      deadline_(deadline),
      done_(std::move(done)) {}

DirectCall::~DirectCall() {
  Answer(cairn::Fail(ErrorCode::kInternal, "the call was dropped unanswered"));
}

void DirectCall::Reply(const google::protobuf::MessageLite& response, Payload payload) {
  Answer(RawReply{response.SerializeAsString(), std::move(payload)});
}

void DirectCall::Fail(const Status& status) {
  Answer(cairn::Fail(status));
}

void DirectCall::Answer(Result<RawReply> reply) {
  Channel::Callback done;
  {
    absl::MutexLock lock(&mu_);
    done = std::exchange(done_, nullptr);
  }
  if (done) done(std::move(reply));
}

Network::~Network() {
  std::vector<std::thread> threads;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    for (auto& [ends, link] : links_) threads.push_back(std::move(link->thread));
  }
  for (std::thread& thread : threads) thread.join();
}

Network::Link& Network::LinkOf(ServerId from, ServerId to) {
  std::unique_ptr<Link>& link = links_[{from, to}];
  if (link == nullptr) {
    link = std::make_unique<Link>();
    link->thread = std::thread([this, to, made = link.get()] { Run(to, made); });
  }
  return *link;
}

void Network::Run(ServerId to, Link* link) {
  while (true) {
    Frame frame;
    Dispatcher* dispatcher = nullptr;
    {
      absl::MutexLock lock(&mu_);
      auto ready = [&] {
        mu_.AssertReaderHeld();
        return stopping_ ||
               (!link->frames.empty() && (link->cut || link->held != link->frames.front().method));
      };
      mu_.Await(absl::Condition(&ready));
      if (stopping_) return;
      frame = std::move(link->frames.front());
      link->frames.pop_front();
      if (!link->cut) dispatcher = servers_[to];
      link->delivering = dispatcher != nullptr;
    }
    if (dispatcher != nullptr) {
      dispatcher->Dispatch(frame.method, std::move(frame.call));
    } else {
      frame.fail(cairn::Fail(ErrorCode::kUnavailable, "server {} cannot be reached", to));
    }
    frame = {};
    absl::MutexLock lock(&mu_);
    link->delivering = false;
  }
}

void Network::SetServer(ServerId server, Dispatcher* dispatcher) {
  absl::MutexLock lock(&mu_);
  servers_[server] = dispatcher;
  auto quiet = [&] {
    mu_.AssertReaderHeld();
    for (const auto& [ends, link] : links_) {
      if (ends.second == server && link->delivering) return false;
    }
    return true;
  };
  mu_.Await(absl::Condition(&quiet));
}

void Network::Cut(ServerId from, ServerId to, bool cut) {
  absl::MutexLock lock(&mu_);
  LinkOf(from, to).cut = cut;
}

void Network::Hold(ServerId from, ServerId to, v1::Method method) {
  absl::MutexLock lock(&mu_);
  LinkOf(from, to).held = method;
}

void Network::ReleaseAll() {
  absl::MutexLock lock(&mu_);
  for (auto& [ends, link] : links_) link->held.reset();
}

void Network::LoseAnswers(ServerId from, ServerId to, v1::Method method, int count) {
  absl::MutexLock lock(&mu_);
  LinkOf(from, to).lost_answers[method] = count;
}

int Network::Held(ServerId from, ServerId to) {
  absl::MutexLock lock(&mu_);
  return static_cast<int>(LinkOf(from, to).frames.size());
}

void Network::Send(ServerId from, ServerId to, v1::Method method, std::shared_ptr<ServerCall> call,
                   const Channel::Callback& fail) {
  {
    absl::MutexLock lock(&mu_);
    Link& link = LinkOf(from, to);
    if (!link.cut && servers_[to] != nullptr && servers_[from] != nullptr) {
      link.frames.push_back({method, std::move(call), fail});
      return;
    }
  }
  fail(cairn::Fail(ErrorCode::kUnavailable, "server {} cannot be reached", to));
}

bool Network::LetAnswerPass(ServerId from, ServerId to, v1::Method method) {
  absl::MutexLock lock(&mu_);
  Link& link = LinkOf(from, to);
  if (link.cut) return false;
  int& left = link.lost_answers[method];
  return left == 0 || left-- == 0;
}

void InProcessPeers::CallAsync(ServerId to, v1::Method method,
                               const google::protobuf::MessageLite& request, Payload payload,
                               Deadline deadline, Channel::Callback done) {
  PeerIdentity peer;
  peer.hello.set_server(self_.value);
  // Whoever comes first, answer or failure, ends the call.
  auto once = std::make_shared<std::atomic<bool>>(false);
  auto end = [once, callbacks = callbacks_, done = std::move(done)](Result<RawReply> reply) {
    if (once->exchange(true)) return;
    {
      absl::MutexLock lock(&callbacks->mu);
      if (callbacks->closed) return;
      ++callbacks->running;
    }
    done(std::move(reply));
    absl::MutexLock lock(&callbacks->mu);
    --callbacks->running;
  };
  auto answered = [network = &network_, self = self_, to, method, end](Result<RawReply> reply) {
    if (network->LetAnswerPass(self, to, method)) return end(std::move(reply));
    end(Fail(ErrorCode::kUnavailable, "the connection to server {} broke", to));
  };
  auto call = std::make_shared<DirectCall>(request, std::move(payload), peer, deadline, answered);
  network_.Send(self_, to, method, std::move(call), end);
}

void InProcessPeers::Close() {
  absl::MutexLock lock(&callbacks_->mu);
  callbacks_->closed = true;
  auto quiet = [this] {
    callbacks_->mu.AssertReaderHeld();
    return callbacks_->running == 0;
  };
  callbacks_->mu.Await(absl::Condition(&quiet));
}

Result<RawReply> InProcessPeers::CallRaw(ServerId to, v1::Method method,
                                         const google::protobuf::MessageLite& request,
                                         Payload payload, Deadline deadline) {
  struct Wait {
    absl::Mutex mu;
    std::optional<Result<RawReply>> reply ABSL_GUARDED_BY(mu);
  };
  auto wait = std::make_shared<Wait>();
  CallAsync(to, method, request, std::move(payload), deadline, [wait](Result<RawReply> reply) {
    absl::MutexLock lock(&wait->mu);
    wait->reply = std::move(reply);
  });
  absl::MutexLock lock(&wait->mu);
  auto answered = [&] {
    wait->mu.AssertReaderHeld();
    return wait->reply.has_value();
  };
  if (!wait->mu.AwaitWithTimeout(absl::Condition(&answered), absl::FromChrono(deadline.Left()))) {
    return Fail(ErrorCode::kDeadlineExceeded, "server {} did not answer in time", to);
  }
  return std::move(*wait->reply);
}

}  // namespace cairn

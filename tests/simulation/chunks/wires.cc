#include "tests/simulation/chunks/wires.h"

#include <algorithm>
#include <optional>

namespace cairn::simulation::chunks {

// One call on its way. Ends once.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  PortPtr caller;
  Node to = 0;
  v1::Method method = v1::METHOD_NONE;
  std::string body;
  Payload payload;
  Time left{};  // when it was sent
  Channel::Callback done;
  bool ended = false;

  void End(Result<RawReply> reply) {
    if (std::exchange(ended, true)) return;
    Port& port = *caller;
    port.answers_.Post([done = std::move(done), reply = std::move(reply)] { done(reply); });
    port.asked_.erase(shared_from_this());
  }
};

// What a handler sees of it.
class WireCall final : public ServerCall {
 public:
  WireCall(Wires& wires, std::shared_ptr<Exchange> exchange, PortPtr server, Deadline deadline)
      : wires_(wires),
        exchange_(std::move(exchange)),
        server_(std::move(server)),
        peer_(exchange_->caller->identity),
        deadline_(deadline) {}
  ~WireCall() override {
    if (!answered_) Fail(Status(ErrorCode::kInternal, "the call was dropped unanswered"));
  }
  std::string_view body() const override { return exchange_->body; }
  const Payload& payload() const override { return exchange_->payload; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return deadline_; }
  void Reply(const google::protobuf::MessageLite& response, Payload payload) override {
    if (std::exchange(answered_, true) || server_->closed()) return;
    if (server_->answered) server_->answered(exchange_->method, *this);
    wires_.Answer(exchange_, RawReply{response.SerializeAsString(), std::move(payload)});
  }
  void Fail(const Status& status) override {
    if (std::exchange(answered_, true) || server_->closed()) return;
    wires_.Answer(exchange_, cairn::Fail(status));
  }

 private:
  Wires& wires_;
  const std::shared_ptr<Exchange> exchange_;
  const PortPtr server_;
  const PeerIdentity peer_;
  const Deadline deadline_;
  bool answered_ = false;
};

Port::Port(ChunkWorld& world, Domain& domain, Node node)
    : world_(world), domain_(domain), node_(node), answers_(world.fibers, domain) {}

void Port::Close() {
  closed_ = true;
  const auto asked = asked_;
  for (const auto& exchange : asked) {
    exchange->End(Fail(ErrorCode::kUnavailable, "the connection was closed"));
  }
}

bool Port::idle() const {
  return answers_.idle() && std::all_of(frames_.begin(), frames_.end(),
                                        [](const auto& lane) { return lane.second->idle(); });
}

Wires::Wires(ChunkWorld& world) : world_(world), random_(world.plan.seed, 0x317e5) {}

void Wires::Plug(const PortPtr& port) {
  ports_[port->node()] = port;
}

void Wires::Unplug(Node node, bool breaks) {
  const auto found = ports_.find(node);
  if (found == ports_.end()) return;
  const PortPtr port = std::move(found->second);
  ports_.erase(found);
  if (!breaks) return;
  for (const std::weak_ptr<Exchange>& weak : port->serving_) {
    const std::shared_ptr<Exchange> exchange = weak.lock();
    if (exchange == nullptr || exchange->ended) continue;
    if (Loses(node, exchange->caller->node())) continue;
    world_.scheduler.At(ArrivalOn(node, exchange->caller->node()), [exchange] {
      exchange->End(Fail(ErrorCode::kUnavailable, "the connection broke"));
    });
  }
}

bool Wires::Loses(Node from, Node to) {
  return cut_.contains({from, to}) || (!calm_ && random_.Chance(world_.plan.loss));
}

Time Wires::ArrivalOn(Node from, Node to) {
  const bool late = !calm_ && random_.Chance(world_.plan.long_delays);
  const Time delay = late ? random_.Between(Time(100ms), Time(4s))
                          : 20us + random_.Between(Time(0), world_.plan.max_delay);
  Time& last = last_arrival_[{from, to}];
  last = std::max(last, world_.now() + delay);
  return last;
}

void Wires::Call(const PortPtr& from, Node to, v1::Method method,
                 const google::protobuf::MessageLite& request, Payload payload, Deadline deadline,
                 Channel::Callback done) {
  auto exchange = std::make_shared<Exchange>();
  exchange->caller = from;
  exchange->to = to;
  exchange->method = method;
  exchange->body = request.SerializeAsString();
  exchange->payload = std::move(payload);
  exchange->left = deadline.Left();
  exchange->done = std::move(done);
  from->asked_.insert(exchange);
  if (from->closed_) {
    return exchange->End(Fail(ErrorCode::kUnavailable, "the connection is closed"));
  }
  world_.scheduler.At(from->domain_.When(deadline.at().since_boot), [exchange] {
    exchange->End(Fail(ErrorCode::kDeadlineExceeded, "no answer in time"));
  });
  if (Loses(from->node(), to)) return;
  world_.scheduler.At(ArrivalOn(from->node(), to), [this, exchange] { Deliver(exchange); });
}

void Wires::Deliver(const std::shared_ptr<Exchange>& exchange) {
  const Node from = exchange->caller->node();
  if (cut_.contains({from, exchange->to})) return;
  const auto found = ports_.find(exchange->to);
  if (found == ports_.end()) {
    return Answer(exchange, Fail(ErrorCode::kUnavailable, "nobody listens"));
  }
  const PortPtr port = found->second;
  world_.trace.Add(1, from, exchange->to, exchange->method, exchange->body.size());
  port->serving_.push_back(exchange);
  if (port->serving_.size() > 1000) {
    std::erase_if(port->serving_, [](const auto& weak) { return weak.expired(); });
  }
  std::unique_ptr<Lane>& lane = port->frames_[from];
  if (lane == nullptr) lane = std::make_unique<Lane>(world_.fibers, port->domain_);
  lane->Post([this, exchange, port] {
    auto call = std::make_shared<WireCall>(*this, exchange, port, Deadline::After(exchange->left));
    port->dispatcher->Dispatch(exchange->method, std::move(call));
  });
}

void Wires::Answer(const std::shared_ptr<Exchange>& exchange, Result<RawReply> reply) {
  const Node to = exchange->caller->node();
  if (exchange->ended || Loses(exchange->to, to)) return;
  const auto shared = std::make_shared<const Result<RawReply>>(std::move(reply));
  world_.scheduler.At(ArrivalOn(exchange->to, to), [this, exchange, to, shared] {
    if (!cut_.contains({exchange->to, to})) exchange->End(*shared);
  });
}

Result<RawReply> Wires::CallAndWait(const PortPtr& from, Node to, v1::Method method,
                                    const google::protobuf::MessageLite& request, Payload payload,
                                    Deadline deadline) {
  const auto reply = std::make_shared<std::optional<Result<RawReply>>>();
  Call(from, to, method, request, std::move(payload), deadline,
       [reply](Result<RawReply> answer) { *reply = std::move(answer); });
  const std::function<bool()> answered = [&] { return reply->has_value(); };
  while (!reply->has_value()) world_.fibers.Wait(answered, std::nullopt);
  return std::move(**reply);
}

void Wires::Calm() {
  calm_ = true;
  cut_.clear();
}

}  // namespace cairn::simulation::chunks

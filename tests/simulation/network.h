// A network that loses, duplicates, delays and reorders, and whose links can be cut one way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "raft/core/message.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

// Thread-compatible.
class Network {
 public:
  using Receiver = std::function<void(const std::shared_ptr<const raft::Message>&)>;
  Network(World& world, Receiver receiver)
      : world_(world), random_(world.plan.seed, kNetworkStream), receiver_(std::move(receiver)) {}

  // Between members.
  void Send(raft::Message message);
  // Between a client and a member, either way; may run never, once or twice.
  void Carry(Action action);

  void Cut(ServerId from, ServerId to) { cut_.insert({from, to}); }
  void Heal(ServerId from, ServerId to) { cut_.erase({from, to}); }
  bool IsCut(ServerId from, ServerId to) const { return cut_.contains({from, to}); }
  // No more loss, no cuts, short ways: faults are over.
  void Calm();

 private:
  Time Delay();
  Time ArrivalOn(ServerId from, ServerId to);

  World& world_;
  Random random_;
  Receiver receiver_;
  bool calm_ = false;
  std::set<std::pair<ServerId, ServerId>> cut_;
  std::map<std::pair<ServerId, ServerId>, Time> last_arrival_;  // of links that keep the order
};

}  // namespace cairn::simulation

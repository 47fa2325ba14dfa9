// The network of a simulated cluster, as connections behave: what goes from one to another arrives
// in order or not at all. A frame that is lost takes its call with it, which then ends by its
// deadline; a process that dies breaks its connections.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rpc/channel.h"
#include "rpc/dispatcher.h"
#include "tests/simulation/chunks/chunk_world.h"

namespace cairn::simulation::chunks {

// Who can be at an end of a wire: 0 is the metaserver, then machines, from 1001 on clients.
using Node = uint32_t;
inline constexpr Node kMetaserver = 0;

class Exchange;

// One process at its end of the wires. Confined to the run.
class Port {
 public:
  Port(ChunkWorld& world, Domain& domain, Node node);
  Node node() const { return node_; }

  // Filled before the port is plugged in; null: it only asks.
  const Dispatcher* dispatcher = nullptr;
  PeerIdentity identity;  // what it says of itself
  // Hears of every request that was answered with success, before the answer leaves.
  std::function<void(v1::Method, const ServerCall&)> answered;

  // Ends every call that waits for an answer, and every later one, with kUnavailable; whoever asked
  // here hears nothing more.
  void Close();
  bool closed() const { return closed_; }
  bool idle() const;  // nothing is being handled

 private:
  friend class Wires;
  friend class Exchange;
  ChunkWorld& world_;
  Domain& domain_;
  const Node node_;
  bool closed_ = false;
  std::map<Node, std::unique_ptr<Lane>> frames_;
  Lane answers_;
  std::set<std::shared_ptr<Exchange>> asked_;     // by this one
  std::vector<std::weak_ptr<Exchange>> serving_;  // for others
};
using PortPtr = std::shared_ptr<Port>;

// Confined to the run.
class Wires {
 public:
  explicit Wires(ChunkWorld& world);

  void Plug(const PortPtr& port);
  // Nobody is there any more. `breaks`: those that wait for an answer notice.
  void Unplug(Node node, bool breaks);

  void Call(const PortPtr& from, Node to, v1::Method method,
            const google::protobuf::MessageLite& request, Payload payload, Deadline deadline,
            Channel::Callback done);
  // For fibers: waits for the answer.
  Result<RawReply> CallAndWait(const PortPtr& from, Node to, v1::Method method,
                               const google::protobuf::MessageLite& request, Payload payload,
                               Deadline deadline);

  void Cut(Node from, Node to) { cut_.insert({from, to}); }
  void Heal(Node from, Node to) { cut_.erase({from, to}); }
  // Nothing goes wrong any more.
  void Calm();

 private:
  friend class Exchange;
  friend class WireCall;
  bool Loses(Node from, Node to);
  Time ArrivalOn(Node from, Node to);
  void Deliver(const std::shared_ptr<Exchange>& exchange);
  void Answer(const std::shared_ptr<Exchange>& exchange, Result<RawReply> reply);

  ChunkWorld& world_;
  Random random_;
  bool calm_ = false;
  std::map<Node, PortPtr> ports_;
  std::set<std::pair<Node, Node>> cut_;
  std::map<std::pair<Node, Node>, Time> last_arrival_;
};

}  // namespace cairn::simulation::chunks

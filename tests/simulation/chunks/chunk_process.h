// One start of a simulated chunkserver: the real store, replication and cluster link, put together
// as chunkserver/server.cc does it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chunkserver/replication/cluster_link.h"
#include "chunkserver/replication/replica.h"
#include "chunkserver/scrub/scrubber.h"
#include "tests/simulation/chunks/chunk_disk.h"
#include "tests/simulation/chunks/simulated_gate.h"
#include "tests/simulation/chunks/slow_store.h"
#include "tests/simulation/chunks/wires.h"

namespace cairn::simulation::chunks {

// What a process hears of the machine it runs on.
struct ProcessFacts {
  Node node = 0;
  ServerId server;
  std::string boot_id;
  Time clock_offset{};
  int clock_drift = 0;
  uint64_t incarnation = 0;
};

// Confined to the run. Must stay until gone().
class ChunkProcess {
 public:
  using Written = std::function<void(ServerId, const ChunkWrite&)>;
  using Answered = std::function<void(v1::Method, const ServerCall&)>;
  ChunkProcess(ChunkWorld& world, Wires& wires, ChunkDisk& disk, ProcessFacts facts,
               Written written, Answered answered);
  ~ChunkProcess();

  void Start();
  // At once: nothing it does from now on has an effect. `breaks`: others notice.
  void Kill(bool breaks);
  // In order, as on SIGTERM; then gone.
  void StopCleanly();
  void Pause() { world_.fibers.Pause(domain_); }
  void Resume() { world_.fibers.Resume(domain_); }

  bool running() const { return running_ && !killed_; }  // it has opened its store
  bool refused() const { return refused_; }
  bool gone() const { return gone_; }
  const ProcessFacts& facts() const { return facts_; }
  // What is in the store, without delay.
  ChunkStore& store() { return *store_; }
  v1::ScrubProgress scrub() const { return scrubber_->Progress(); }

 private:
  class MetaserverTie;
  class PeerTie;

  void Open();
  void StartReplication();
  std::optional<v1::HeartbeatRequest> Vitals();
  bool Heard(const v1::HeartbeatResponse& answer);
  // Ends all threads and takes everything apart.
  void TakeApart(bool in_order);
  void AwaitIdle();

  ChunkWorld& world_;
  Wires& wires_;
  ChunkDisk& disk_;
  const ProcessFacts facts_;
  const Written written_;
  const Answered answered_;
  Random random_;
  Domain domain_;
  PortPtr port_;
  bool running_ = false;
  bool killed_ = false;
  bool refused_ = false;
  bool gone_ = false;
  bool started_ = false;  // Open() has ended
  bool ending_ = false;   // somebody takes it apart, or will
  SystemClock clock_;
  Time opened_{};
  std::unique_ptr<ChunkStore> store_;
  std::unique_ptr<SlowStore> slow_;
  std::unique_ptr<GroupTable> table_;
  std::unique_ptr<MetaserverCaller> metaserver_;
  std::unique_ptr<ClusterLink> link_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<TokenGate> gate_;
  std::unique_ptr<SimulatedGate> admission_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace cairn::simulation::chunks

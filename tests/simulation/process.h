// One life of a member: the driver of a core, over the machine's disk and state. It does what Ready
// asks for, in the order that safety depends on, and everything that takes time takes virtual time.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "raft/core/raft_core.h"
#include "tests/simulation/log_view.h"
#include "tests/simulation/network.h"
#include "tests/simulation/service.h"
#include "tests/simulation/snapshot_traffic.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

class Machine;

// Thread-compatible. Its functions run as events of the machine; when it must end it says so to the
// machine, which destroys it in an event of its own.
class Process {
 public:
  Process(World& world, Machine& machine, Network& network);
  ~Process();

  void Start();
  void Step(const raft::Message& message);
  // The process ends here; a write under way gets out partly.
  void AbandonWrite();

  raft::Core& core() { return *core_; }
  Service& service() { return *service_; }
  // Does what the core wants by now. To be called after every call into it.
  void Pump();
  const LogView& log() const { return *log_; }
  LogIndex commit_when_elected() const { return commit_when_elected_; }
  // It does nothing more, and is about to end.
  bool has_stopped() const { return stopped_; }
  bool busy_writing() const { return writing_.has_value(); }

  // The state was replaced by that of a snapshot; so is the log.
  void InstallSnapshot(const raft::SnapshotPoint& point);
  // Entries on their way to the state are in the snapshot as well.
  void DropCommitted() { committed_.clear(); }

 private:
  raft::StartState OpenDisk();
  void MakeCore(const raft::StartState& start);
  void Tick();
  void Handle(raft::Ready& ready);
  void Send(const raft::Message& message);
  void BeginWrite(raft::WriteBatch batch);
  void FinishWrite();
  void Withdraw(const raft::WriteBatch& batch);
  void Persisted(const raft::WriteBatch& batch);
  // False: the power went in the middle of what answered `status`, and the process ends.
  bool IsDone(const Status& status);
  void Enqueue(std::vector<LogEntry> entries);
  void ApplyLater();
  void ApplyNow();
  void ApplyBatch(const std::vector<LogEntry>& batch);
  void SyncAndCompact();
  void ForgetLostIfBack();
  void LookAtLeadership();
  void LookAtPeers();

  World& world_;
  Machine& machine_;
  Network& network_;
  std::unique_ptr<raft::Core> core_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<SnapshotTraffic> snapshots_;
  std::optional<LogView> log_;
  std::optional<raft::WriteBatch> writing_;
  std::deque<LogEntry> committed_;  // not yet applied
  bool apply_is_due_ = false;
  bool stopped_ = false;
  bool pumping_ = false;
  LogIndex enqueued_;  // the last one that went into committed_
  Term leading_;
  LogIndex commit_when_elected_;
  uint64_t ticks_ = 0;
};

}  // namespace cairn::simulation

// Snapshots of one process: those it sends in pieces, and the one it receives and installs.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "raft/core/ready.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

class Machine;
class Process;

// Thread-compatible.
class SnapshotTraffic {
 public:
  SnapshotTraffic(World& world, Machine& machine, Process& process)
      : world_(world), machine_(machine), process_(process) {}

  void Supply(const raft::SnapshotWanted& wanted);
  void Take(raft::SnapshotPiece piece);
  // No write is under way: the log may be reset.
  void DiskIsIdle();

 private:
  struct Snapshot {
    raft::SnapshotPoint point;
    std::string bytes;
  };
  std::shared_ptr<const Snapshot> Outgoing(const raft::SnapshotWanted& wanted);
  raft::SnapshotPiece PieceOf(const Snapshot& snapshot, uint64_t offset) const;
  void Install();
  void ReplaceState();

  World& world_;
  Machine& machine_;
  Process& process_;
  std::map<ServerId, std::shared_ptr<const Snapshot>> outgoing_;
  std::shared_ptr<const Snapshot> newest_;  // made last; shared while nothing was applied since
  Snapshot incoming_;
  bool state_is_replaced_ = false;  // what is left to do is the log
};

}  // namespace cairn::simulation

#include "tests/simulation/snapshot_traffic.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"

namespace cairn::simulation {

void SnapshotTraffic::Supply(const raft::SnapshotWanted& wanted) {
  // Reading the state takes a while; now and then there is no room for another snapshot.
  const Time delay = machine_.random().Between(Time(0), 5ms);
  const bool none = machine_.random().Chance(50);
  machine_.After(delay, [this, wanted, none] {
    std::optional<raft::SnapshotPiece> piece;
    if (!none) {
      const std::shared_ptr<const Snapshot> snapshot = Outgoing(wanted);
      const bool same = wanted.index && *wanted.index == snapshot->point.index;
      piece = PieceOf(*snapshot, same ? wanted.offset : 0);
    }
    process_.core().SupplySnapshot(wanted.peer, std::move(piece), machine_.local_now());
    process_.Pump();
  });
}

std::shared_ptr<const SnapshotTraffic::Snapshot> SnapshotTraffic::Outgoing(
    const raft::SnapshotWanted& wanted) {
  std::shared_ptr<const Snapshot>& mine = outgoing_[wanted.peer];
  if (mine && wanted.index && mine->point.index == *wanted.index) return mine;
  const State& state = machine_.state();
  if (!newest_ || newest_->point.index != state.applied().index) {
    newest_ = std::make_shared<Snapshot>(Snapshot{state.applied(), state.Encode()});
  }
  mine = newest_;
  return mine;
}

raft::SnapshotPiece SnapshotTraffic::PieceOf(const Snapshot& snapshot, uint64_t offset) const {
  raft::SnapshotPiece piece;
  piece.point = snapshot.point;
  piece.offset = std::min<uint64_t>(offset, snapshot.bytes.size());
  piece.data = snapshot.bytes.substr(piece.offset, world_.plan.snapshot_piece_bytes);
  piece.last = piece.offset + piece.data.size() == snapshot.bytes.size();
  return piece;
}

void SnapshotTraffic::Take(raft::SnapshotPiece piece) {
  if (piece.offset == 0) incoming_ = {piece.point, {}};
  if (piece.offset != incoming_.bytes.size() || !(piece.point == incoming_.point)) {
    return world_.violations.Add(
        "snapshot", fmt::format("{} gets a piece at {}, not at {}", machine_.id(), piece.offset,
                                incoming_.bytes.size()));
  }
  incoming_.bytes += piece.data;
  if (piece.last) machine_.After(machine_.DiskDelay(), [this] { Install(); });
}

void SnapshotTraffic::Install() {
  if (machine_.random().Chance(50)) {  // it could not be stored
    process_.core().SnapshotRefused(machine_.local_now());
    return process_.Pump();
  }
  ReplaceState();
  // The process may end between the two: then the state is ahead of the log.
  machine_.After(machine_.DiskDelay(), [this] {
    if (!process_.busy_writing()) DiskIsIdle();
  });
}

void SnapshotTraffic::ReplaceState() {
  process_.DropCommitted();
  State& state = machine_.state();
  if (incoming_.point.index <= state.applied().index) {
    return world_.violations.Add("snapshot",
                                 fmt::format("{} at {} gets a snapshot of {}", machine_.id(),
                                             state.applied().index, incoming_.point.index));
  }
  CAIRN_CHECK(state.Replace(incoming_.point, incoming_.bytes));
  state_is_replaced_ = true;
  world_.trace.Add(9, machine_.id().value, state.applied().index.value);
  world_.trace.Line([&] {
    return fmt::format("{} installs a snapshot at {}", machine_.id(), state.applied().index);
  });
  world_.log_rules.Applied(machine_, state.applied().index, state.hash());
}

void SnapshotTraffic::DiskIsIdle() {
  if (!std::exchange(state_is_replaced_, false)) return;
  process_.InstallSnapshot(incoming_.point);
}

}  // namespace cairn::simulation

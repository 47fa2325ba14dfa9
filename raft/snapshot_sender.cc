#include "raft/snapshot_sender.h"

#include <utility>

#include "common/logging.h"

namespace cairn {

namespace {
constexpr size_t kPieceBytes = 1u << 20;
}  // namespace

Result<SnapshotSender::UnderWay*> SnapshotSender::Begin(ServerId peer) {
  ASSIGN_OR_RETURN(StateSnapshot state, machine_.TakeSnapshot());
  LOG_INFO("a member gets a snapshot server={} index={}", peer, state.point.index);
  UnderWay& begun = under_way_[peer];
  begun.encoder = std::make_unique<SnapshotEncoder>(state.point, std::move(state.rows));
  return &begun;
}

Result<raft::SnapshotPiece> SnapshotSender::PieceFor(const raft::SnapshotWanted& wanted) {
  const auto found = under_way_.find(wanted.peer);
  UnderWay* under_way = found == under_way_.end() ? nullptr : &found->second;
  uint64_t offset = wanted.offset;
  if (under_way == nullptr || !wanted.index || *wanted.index != under_way->encoder->point().index) {
    ASSIGN_OR_RETURN(under_way, Begin(wanted.peer));
    offset = 0;
  }
  under_way->asked_for = true;
  Result<raft::SnapshotPiece> piece = under_way->encoder->PieceAt(offset, kPieceBytes);
  if (!piece) under_way_.erase(wanted.peer);  // the next one begins anew
  return piece;
}

void SnapshotSender::DropIdle() {
  for (auto one = under_way_.begin(); one != under_way_.end();) {
    if (!std::exchange(one->second.asked_for, false)) {
      LOG_INFO("a snapshot is let go server={}", one->first);
      one = under_way_.erase(one);
    } else {
      ++one;
    }
  }
}

}  // namespace cairn

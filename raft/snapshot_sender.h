// The leader's side of a snapshot: one consistent state per peer, encoded piece by piece while the
// state goes on changing.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/ready.h"
#include "raft/replicated_log.h"
#include "raft/storage/snapshot_stream.h"

namespace cairn {

// Confined to one thread.
class SnapshotSender {
 public:
  explicit SnapshotSender(StateMachine& machine) : machine_(machine) {}

  // The piece that is wanted; of a new snapshot when the one under way is not here any more.
  Result<raft::SnapshotPiece> PieceFor(const raft::SnapshotWanted& wanted);
  // Lets go of what was not asked for since the call before.
  void DropIdle();

 private:
  struct UnderWay {
    std::unique_ptr<SnapshotEncoder> encoder;
    bool asked_for = true;
  };
  Result<UnderWay*> Begin(ServerId peer);

  StateMachine& machine_;
  std::map<ServerId, UnderWay> under_way_;
};

}  // namespace cairn

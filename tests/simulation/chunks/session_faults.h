// Ends sessions of clients at times drawn from the seed, and uses what they held as soon as it may
// pass on.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/chunks/chunk_client.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class SessionFaults {
 public:
  using Clients = std::vector<std::unique_ptr<ChunkClient>>;
  SessionFaults(ChunkWorld& world, FileTruth& truth, MapKeeper& keeper, Clients& clients);
  void Start();
  // No session ends any more.
  void End() { ended_ = true; }

 private:
  void Loop();
  void EndOne();
  void LetGo(SessionId session);

  ChunkWorld& world_;
  FileTruth& truth_;
  MapKeeper& keeper_;
  Clients& clients_;
  Random random_;
  bool ended_ = false;
};

}  // namespace cairn::simulation::chunks

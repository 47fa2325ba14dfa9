// Lets things go wrong, as the plan says, and heals them at the end. What no system could survive
// it does not do: a majority never loses what it has acknowledged.
#pragma once

#include "tests/simulation/network.h"
#include "tests/simulation/operator.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

// Thread-compatible.
class Faults {
 public:
  Faults(World& world, Network& network, MachineRoom& room, Operator& administrator);

  void Start();
  // No more faults; machines that are down or paused come back.
  void End();

 private:
  void Loop(Fault fault);
  void Do(Fault fault);
  void Partition();
  void OneWayCut();
  void CutFor(Time duration, const std::vector<std::pair<ServerId, ServerId>>& links);
  void Crash(Machine& machine);
  // When it is at a write, or at the last look.
  void CrashAtAWrite(ServerId id, int looks);
  void LosePower(Machine& machine);
  void LosePowerEverywhere();
  void FlipBit();
  void LoseDirectory();
  void StartLater(ServerId id, Time longest);
  void LosePowerSoonAgain(ServerId id);
  // Rather the leader than another one. nullptr: none runs.
  Machine* Victim();
  // May a voter lose what is on its disk?
  bool MayLoseACopy();

  World& world_;
  Network& network_;
  MachineRoom& room_;
  Operator& operator_;
  Random random_;
  bool ended_ = false;
};

}  // namespace cairn::simulation

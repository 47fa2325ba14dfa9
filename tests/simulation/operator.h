// Who administers the group: hands leadership over, lets members come and go, and puts a new one in
// the place of one that lost its directory. It knows only what a leader tells it.
#pragma once

#include <deque>
#include <set>

#include "raft/core/raft_core.h"
#include "tests/simulation/client.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

// What the operator asks of the machine room.
class MachineRoom : public Members {
 public:
  // A machine with an empty directory; it will be told who is in the group by its leader.
  virtual ServerId AddMachine() = 0;
  // Nobody needs it any more.
  virtual void RemoveMachine(ServerId id) = 0;
  // The machine comes back with an empty directory, as who it was.
  virtual void Forget(ServerId id) = 0;
  // Some member's copy of the log is known or suspected to be incomplete.
  virtual bool SomebodyIsImpaired() = 0;
};

// Thread-compatible.
class Operator {
 public:
  Operator(World& world, MachineRoom& room);

  void Start();
  // Begins nothing new; finishes what is under way.
  void Stop() { stopped_ = true; }
  void Replace(ServerId lost, ServerId with);
  bool busy() const { return !changes_.empty(); }

 private:
  struct Change {
    std::set<ServerId> add;
    std::set<ServerId> remove;
    bool remove_first = false;
  };
  void Work();
  void Plan();
  void TransferLater();
  ServerId Successor(const Machine& leader);
  Machine* Leader();
  // In the leader's process.
  void TakeStep(Machine& leader);
  bool IsDone(const Machine& leader, const raft::Membership& now) const;
  bool HaveCaughtUp(const raft::CoreStatus& status) const;
  void Finish();

  World& world_;
  MachineRoom& room_;
  Random random_;
  bool stopped_ = false;
  Time next_plan_{};
  size_t usual_size_;
  std::deque<Change> changes_;  // the first one is under way
};

}  // namespace cairn::simulation

// One run: a group of metaservers, its clients, its operator and its faults, all drawn from one
// seed, in one virtual time. The same seed gives the same run, step by step.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/client.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/operator.h"

namespace cairn::simulation {

struct RunResult {
  uint64_t hash = 0;  // of everything that happened
  uint64_t steps = 0;
  Time length{};
  uint64_t acknowledged = 0;  // changes
  uint64_t committed = 0;     // entries
  SegmentCounts segments;     // of all disks; none if these are models
  std::optional<Violation> violation;
};

// Thread-compatible.
class Simulation final : private MachineRoom {
 public:
  explicit Simulation(const Plan& plan, bool printing = false);
  ~Simulation() override;

  // Until the first violation, or until the group has shown after the faults that it goes on.
  RunResult Run();

 private:
  Machine* Find(ServerId id) override;
  std::vector<ServerId> Ids() override;
  ServerId AddMachine() override;
  void RemoveMachine(ServerId id) override;
  void Forget(ServerId id) override;
  bool SomebodyIsImpaired() override;

  void Add(ServerId id, raft::Membership founders);
  void AddClient(Time think_time);
  SegmentCounts CountSegments() const;
  bool RunUntil(Time end);
  void Settle();
  bool HasSettled();
  // The one that leads in the newest term, as far as its process is concerned.
  Machine* NewestLeader();

  World world_;
  Network network_;
  raft::Membership founders_;
  uint32_t last_id_ = 0;
  std::map<ServerId, std::unique_ptr<Machine>> machines_;
  std::vector<std::unique_ptr<Machine>> gone_;  // events may still name them
  Operator operator_;
  Faults faults_;
  std::vector<std::unique_ptr<Client>> clients_;
};

// "seed 17, step 5031 at 12.345 s, M4: 2 votes for 1 and 3 in term 5"
std::string Describe(uint64_t seed, const RunResult& result);

}  // namespace cairn::simulation

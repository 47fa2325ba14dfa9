// The machine of one member: disk, state, clock and power; and the process on it, if one runs.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "common/clock.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"
#include "tests/simulation/state.h"
#include "tests/simulation/world.h"

namespace cairn::simulation {

class Process;

// Thread-compatible.
class Machine final : public Clock {
 public:
  Machine(World& world, Network& network, ServerId id, raft::Membership founders,
          std::unique_ptr<Disk> disk);
  ~Machine() override;

  ServerId id() const { return id_; }
  Disk& disk() { return *disk_; }
  const Disk& disk() const { return *disk_; }
  State& state() { return state_; }
  const State& state() const { return state_; }
  Random& random() { return random_; }

  // --- Life.
  bool running() const { return process_ != nullptr; }
  bool paused() const { return world_.scheduler.now() < paused_until_; }
  Process* process() { return process_.get(); }
  void Start();
  // The process ends; what the kernel has taken stays.
  void Crash();
  // It ends in order, if it is not at a write.
  void Stop();
  // So does the machine, and what was not synced goes.
  void LosePower();
  // The process cannot go on: it ends after this step, as by Crash() or LosePower(), and comes back
  // a while later.
  void Fail(const std::string& why, bool power);
  void Pause(Time duration);
  void Resume();
  // It is never started again.
  void Retire();
  bool retired() const { return retired_; }

  // Runs in the process, unless that has ended by then; later if it is paused.
  void After(Time delay, Action action);
  void Deliver(const std::shared_ptr<const raft::Message>& message);
  // A request from outside reaches the process, if there is one.
  void Ask(Action action);

  // --- Clocks.
  Time local_now() const;
  BootTime Now() const override { return {local_now()}; }
  WallTime WallNow() const override;
  void ChangeClock(Random& random);
  Time running_for() const { return local_now() - started_; }

  // --- Disk faults, asked by the process.
  void SlowDisk(Time until) { slow_until_ = until; }
  void FillDisk(Time until) { full_until_ = until; }
  void FailNextSync() { next_sync_fails_ = true; }
  Time DiskDelay();
  bool disk_is_full() const { return world_.scheduler.now() < full_until_; }
  bool TakeFailedSync() { return std::exchange(next_sync_fails_, false); }
  void HealDisk();
  void Compacted(LogIndex through) { compacted_to_ = through; }
  LogIndex log_was_compacted_to() const { return compacted_to_; }

  // --- What is true of it.
  // The entry is durable here, in the log or in the state, or was until it was damaged.
  bool HasHeld(LogIndex index, Term term) const;
  // The whole group when it started: it cannot have confirmed anybody's lease.
  bool started_alone() const { return started_alone_; }
  LogIndex commit() const;
  LogIndex commit_when_elected() const;
  std::optional<Term> TermInLog(LogIndex index) const;
  // It leads in an earlier term and would answer reads now.
  bool holds_lease_before(Term term) const;
  // In its log, committed or not. REQUIRES: running().
  raft::Membership newest_membership() const;
  // The membership it counts by, if it leads.
  std::optional<raft::Membership> leads_with() const;
  std::string DescribeDisk() const;
  std::string Describe() const;

 private:
  void RunOrKeep(uint64_t life, const Action& action);
  void EndProcess();
  bool is_alone() const;

  World& world_;
  Network& network_;
  const ServerId id_;
  Random random_;
  std::unique_ptr<Disk> disk_;
  State state_;
  LogIndex compacted_to_;

  std::unique_ptr<Process> process_;
  uint64_t life_ = 0;
  bool retired_ = false;
  bool failing_ = false;
  Time started_{};  // on the local clock
  bool started_alone_ = false;
  Time paused_until_{};
  std::deque<std::pair<uint64_t, Action>> kept_;  // for when the pause is over

  Time clock_base_{};  // local time at clock_since_
  Time clock_since_{};
  int64_t clock_ppm_ = 0;    // how much faster than the true time
  int64_t wall_offset_ = 0;  // seconds
  Time slow_until_{};
  Time full_until_{};
  bool next_sync_fails_ = false;
};

}  // namespace cairn::simulation

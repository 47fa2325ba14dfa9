// A replicated log that keeps its entries in memory and applies each at once, on the proposer's
// thread. It can be told to hold proposals back, and to replay everything into another machine.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "raft/replicated_log.h"

namespace cairn::testing {

// Thread-safe. `entries` outlives logs, as a disk outlives processes.
class MemoryLog final : public ReplicatedLog {
 public:
  MemoryLog(std::vector<LogEntry>& entries, StateMachine& machine)
      : entries_(entries), machine_(machine) {
    for (const LogEntry& entry : entries_) {
      if (entry.index > machine_.Applied().index) machine_.Apply({&entry, 1});
    }
  }

  void Propose(std::string command, Done done) override {
    Result<std::string> outcome;
    {
      absl::MutexLock lock(&mu_);
      if (holding_) {
        held_.emplace_back(std::move(command), std::move(done));
        return;
      }
      outcome = stopped_ ? Result<std::string>(Fail(ErrorCode::kCancelled, "stopped"))
                         : Commit(std::move(command));
    }
    done(std::move(outcome));
  }

  void Hold() {
    absl::MutexLock lock(&mu_);
    holding_ = true;
  }
  // Commits what was held back, in order; later proposals go through at once.
  void Release() {
    std::deque<std::pair<std::string, Done>> held;
    {
      absl::MutexLock lock(&mu_);
      holding_ = false;
      held.swap(held_);
    }
    for (auto& [command, done] : held) Propose(std::move(command), std::move(done));
  }

  Term ServingTerm() const override { return Term(1); }
  bool LeaseHolds(Term term) const override { return term == Term(1); }
  void ConfirmLeadership(Term term, std::function<void(bool)> done) override {
    done(LeaseHolds(term));
  }
  void Stop() override {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }

 private:
  std::string Commit(std::string command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    entries_.push_back({Term(1), LogIndex(entries_.size() + 1), std::move(command)});
    return machine_.Apply({&entries_.back(), 1}).front();
  }

  std::vector<LogEntry>& entries_;
  StateMachine& machine_;
  absl::Mutex mu_;
  bool holding_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<std::pair<std::string, Done>> held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn::testing

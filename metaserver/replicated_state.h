// The metaserver's state: commands go in through the log, are applied to the store, and views of
// what is applied come out. Everything else in the metaserver stands on this.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "cairn/v1/command.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "metaserver/disk_reserve.h"
#include "metaserver/store/kv_store.h"
#include "metaserver/store/state_home.h"
#include "raft/replicated_log.h"

namespace cairn {

// Thread-safe.
class ReplicatedState {
 public:
  virtual ~ReplicatedState() = default;  // Stop()s

  // Fills in the time, new inode id and layout seed the operation needs, and proposes it. `done`
  // gets the outcome once it is durable and applied; an Outcome's own error is in its code. It may
  // run on this thread before Propose returns. kNotLeader: certainly not run; kUnavailable:
  // leadership was lost meanwhile and it may run, or this metaserver is stopping.
  virtual void Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) = 0;
  Result<v1::Outcome> ProposeAndWait(v1::Command command);

  // What is applied now. Cheap.
  virtual std::unique_ptr<ReadView> View() = 0;

  // Told after each applied batch that changed the cluster map (pools, groups, servers), on the
  // applying thread; must be quick. Set before the servers start.
  virtual void OnMapChanged(std::function<void()> observer) = 0;

  // Told before (false) and after (true) views begin to show a batch that changed token keys or
  // fences, likewise.
  virtual void OnAdmissionChange(std::function<void(bool shown)> observer) { (void)observer; }

  // Told of each command as it is applied, on the applying thread and before any view shows it; not
  // of those replayed at a start. Must be quick. Set before the servers start.
  virtual void OnApplied(
      std::function<void(const v1::Command& command, const v1::Outcome& outcome)> observer) {
    (void)observer;
  }

  // The term in which this metaserver leads and may serve; 0: it does not.
  virtual Term ServingTerm() const { return Term(1); }
  bool Serves() const { return ServingTerm() != Term(); }
  // May what was read from a view before this call be told (rule M6)? `term` is what ServingTerm()
  // said before the view was taken.
  virtual bool LeaseHolds(Term term) const { return term == ServingTerm(); }
  // The same, by asking the others when the lease does not tell. `done` runs once.
  virtual void ConfirmLeadership(Term term, std::function<void(bool leads)> done) {
    done(LeaseHolds(term));
  }
  // Told on the applying thread: true before this metaserver begins to serve in a term, when
  // everything of before is applied; false after it has ceased to. Set before the servers start.
  virtual void OnLeadership(std::function<void(bool leads)> observer) { (void)observer; }

  // What the state's hash was at a mark (MarkHashCommand); nullopt: not yet, or too long ago.
  virtual std::optional<uint64_t> HashAt(LogIndex mark) const {
    (void)mark;
    return std::nullopt;
  }

  // False until FoundCluster has been applied.
  virtual bool IsBorn() = 0;
  // Everything applied is durable on return, unless an error says why not; nothing is proposed
  // afterwards. Later calls answer as the first did.
  virtual Status Stop() = 0;
};

// Makes the log that feeds a state machine.
using OpenLog = std::function<Result<std::unique_ptr<ReplicatedLog>>(StateMachine& machine,
                                                                     LeadershipObserver& observer)>;
// The state in any home and over any log. `reserve`: null when the home is not on a disk.
// `on_broken` hears why the store failed before that ends the process.
Result<std::unique_ptr<ReplicatedState>> OpenReplicatedState(
    std::unique_ptr<StateHome> home, const OpenLog& open_log, const Clock& clock,
    std::unique_ptr<DiskReserve> reserve = nullptr,
    std::function<void(const Status&)> on_broken = nullptr);

}  // namespace cairn

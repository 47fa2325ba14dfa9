// The metaserver's state: commands go in through the log, are applied to the store, and views of
// what is applied come out. Everything else in the metaserver stands on this.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cairn/v1/command.pb.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/status.h"
#include "metaserver/store/kv_store.h"
#include "raft/replicated_log.h"

namespace cairn {

struct ReplicatedStateOptions {
  std::string directory;
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  bool unclean_boot = false;
  // Called once if the log's disk fails: nothing is committed any more, the server must stop (rule
  // M4). Must be quick and not call back.
  std::function<void(const Status& cause)> on_failed;
};

// Thread-safe.
class ReplicatedState {
 public:
  static Result<std::unique_ptr<ReplicatedState>> Open(const ReplicatedStateOptions& options);
  virtual ~ReplicatedState() = default;  // Stop()s

  // Fills in the time, new inode id and layout seed the operation needs, and proposes it. `done`
  // gets the outcome once it is durable and applied; an Outcome's own error is in its code. It may
  // run on this thread before Propose returns. kUnavailable: not leading, or stopped.
  virtual void Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) = 0;
  Result<v1::Outcome> ProposeAndWait(v1::Command command);

  // What is applied now. Cheap.
  virtual std::unique_ptr<ReadView> View() = 0;

  // Told after each applied batch that changed the cluster map (pools, groups, servers), on the
  // applying thread; must be quick. Set before the servers start.
  virtual void OnMapChanged(std::function<void()> observer) = 0;

  // Told of each command as it is applied, on the applying thread and before any view shows it; not
  // of those replayed at a start. Must be quick. Set before the servers start.
  virtual void OnApplied(
      std::function<void(const v1::Command& command, const v1::Outcome& outcome)> observer) {
    (void)observer;
  }

  // False until FoundCluster has been applied.
  virtual bool IsBorn() = 0;
  // Everything applied is durable on return, unless an error says why not; nothing is proposed
  // afterwards. Later calls answer as the first did.
  virtual Status Stop() = 0;
};

// Makes the log that feeds a state machine, entries above its AppliedIndex() replayed.
using OpenLog = std::function<Result<std::unique_ptr<ReplicatedLog>>(StateMachine& machine)>;
// The state over any store and any log: what Open() does with LevelDB and a log on disk.
Result<std::unique_ptr<ReplicatedState>> OpenReplicatedState(std::unique_ptr<KvStore> store,
                                                             const OpenLog& open_log,
                                                             const Clock& clock);

}  // namespace cairn

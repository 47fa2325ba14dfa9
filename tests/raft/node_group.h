// Members of a group in one process, each with a directory, threads and a state of its own, joined
// by a network that a test can cut.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/serial_executor.h"
#include "raft/raft_node.h"
#include "tests/common/temporary_directory.h"

namespace cairn::testing {

// A list of words, kept in memory; its outcome is the number of words before. Thread-safe.
class WordList final : public StateMachine, public LeadershipObserver {
 public:
  std::vector<std::string> Apply(std::span<const LogEntry> entries) override;
  raft::SnapshotPoint Applied() override;
  Result<LogIndex> MakeDurable() override { return Applied().index; }
  Result<StateSnapshot> TakeSnapshot() override;
  Status Install(const raft::SnapshotPoint& point, RowSource& rows) override;
  void OnLeading(Term term) override {
    ++led_;
    told_ = term.value;
  }
  void OnFollowing() override { told_ = 0; }

  // From now on the applying thread waits at its next step, until it is let go.
  void Hold();
  void AwaitHeld();
  void LetGo();

  std::vector<std::string> words();
  int installed();
  int led() const { return led_; }
  // The term of the last OnLeading; 0 after OnFollowing.
  Term told() const { return Term(told_); }

 private:
  void WaitWhileHeld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  bool hold_ ABSL_GUARDED_BY(mu_) = false;
  bool held_ ABSL_GUARDED_BY(mu_) = false;  // somebody waits
  std::vector<std::string> words_ ABSL_GUARDED_BY(mu_);
  raft::SnapshotPoint point_ ABSL_GUARDED_BY(mu_);
  int installed_ ABSL_GUARDED_BY(mu_) = 0;
  std::atomic<int> led_{0};
  std::atomic<uint64_t> told_{0};
};

// Confined to the test's thread.
class NodeGroup {
 public:
  // Members 1 to `size` found a group; they are not started. `options`: directory and the like are
  // filled in.
  explicit NodeGroup(int size, RaftNodeOptions options = {});
  ~NodeGroup();

  void Start(int member);  // opens its directory again after Stop()
  void StartAll();
  void Stop(int member);  // its state is kept, as LevelDB would
  // A member with an empty directory that belongs to nobody.
  void AddUnborn(int member);
  // The same, but it knows its id.
  void AddStranger(int member);
  // Forgets the member's state and log.
  void Wipe(int member);

  RaftNode& node(int member) { return *members_.at(member)->node; }
  WordList& words(int member) { return *members_.at(member)->words; }
  bool IsUp(int member) const { return members_.at(member)->node != nullptr; }

  // The member that serves. Waits for one, among those not cut off.
  int Leader();
  // At the leader of the moment, again after kNotLeader and kUnavailable, until it is applied.
  void Say(const std::string& word);
  // One try there.
  Result<std::string> Propose(int member, const std::string& word);
  bool Confirm(int member, Term term);

  // Of snapshots, sent so far.
  int pieces() const { return pieces_; }

  void CutOff(int member);  // nothing passes to or from it
  void Reconnect(int member);

  // Waits until all that run have applied the same and hold these words.
  void AwaitWords(const std::vector<std::string>& words);
  static void AwaitTrue(const std::function<bool()>& condition, const std::string& what);

 private:
  class Wire;
  struct Member {
    std::unique_ptr<TemporaryDirectory> directory = std::make_unique<TemporaryDirectory>();
    std::unique_ptr<WordList> words = std::make_unique<WordList>();
    std::unique_ptr<Wire> wire;
    std::unique_ptr<RaftNode> node;
    std::unique_ptr<SerialExecutor> inbox;
  };

  void Open(int member);
  void Deliver(raft::Message message);

  RaftNodeOptions options_;
  std::atomic<int> pieces_{0};
  SystemClock clock_;
  raft::Members founders_;
  std::map<int, std::unique_ptr<Member>> members_;
  absl::Mutex mu_;  // what other threads look at
  std::map<ServerId, std::pair<RaftNode*, SerialExecutor*>> running_ ABSL_GUARDED_BY(mu_);
  std::set<ServerId> cut_off_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn::testing

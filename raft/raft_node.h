// One member of a Raft group: drives raft/core. It persists what the core wants persisted, sends
// what it wants sent, applies what it has committed, and decides nothing.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/serial_executor.h"
#include "raft/core/raft_core.h"
#include "raft/replicated_log.h"
#include "raft/snapshot_sender.h"
#include "raft/storage/log_storage.h"
#include "raft/storage/snapshot_file.h"

namespace cairn {

// Carries messages to other members. Thread-safe.
class RaftTransport {
 public:
  virtual ~RaftTransport() = default;
  // Where the members are, whenever that changes.
  virtual void SetMembers(const raft::Membership& membership) = 0;
  // Does not block on the network for long; may lose the message. A reply comes by
  // RaftNode::HandleReply.
  virtual void Send(raft::Message message) = 0;
};

struct RaftNodeOptions {
  std::string directory;  // of log and snapshot
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  LogStorageOptions storage;
  size_t kept_segments = 8;  // of the log beyond what the state needs, for members that were away
  // Called once, when this member does nothing any more because of `cause`: kDiskFailed and
  // kIoError say that the disk cannot be trusted (rule M4). Before whoever waits is told; must be
  // quick.
  std::function<void(const Status& cause)> on_failed;
  LeadershipObserver* observer = nullptr;
};

struct RaftNodeStatus {
  bool in_group = false;
  ServerId self;
  LogIndex applied;
  raft::CoreStatus core;
  Duration leader_silence{0};  // since a leader last spoke; 0 on the leader
  std::string trouble;         // why this member does not vote; empty: it does
};

// Thread-safe.
class RaftNode final : public ReplicatedLog, private raft::LogReader {
 public:
  // Brings log, snapshot and state on this disk together. `machine` and `transport` must outlive
  // the node. kCorruption: a group of one has lost entries that were acknowledged (rule M5); larger
  // groups fetch them again.
  static Result<std::unique_ptr<RaftNode>> Open(RaftNodeOptions options, StateMachine& machine,
                                                RaftTransport& transport);
  ~RaftNode() override;  // Stop()s

  // From now on it takes part, if it was adopted. Again is ok.
  void Start();
  // Makes this member part of a group: of a new one with `founders` as voters (itself included),
  // or, without any, of one whose leader will send the log. Durable on return; Start() comes next.
  // Again with the same words is ok; kExists: it is in a group already, or has other founders.
  Status Adopt(ServerId self, const raft::Members& founders);

  void Propose(std::string command, Done done) override;
  Term ServingTerm() const override { return Term(serving_term_.load()); }
  bool LeaseHolds(Term term) const override;
  void ConfirmLeadership(Term term, std::function<void(bool leads)> done) override;
  void HandOver() override { (void)TransferLeadership(ServerId()); }
  // Hands over, and waits until another one leads, or nobody does in time.
  void LeaveOffice(Deadline deadline);
  // Answers whoever waits, and refuses what comes from now on; the rest of Stop() comes later.
  void Refuse();
  void Stop() override;

  // As raft::Core's.
  Status ProposeMembership(raft::Members voters, raft::Members learners);
  Status TransferLeadership(ServerId target);
  RaftNodeStatus Describe() const;

  // A request came from another member; `reply` runs once, with nothing when there is nothing to
  // say, or with an error for the sender: kNotFound: it is not a member.
  using Reply = std::function<void(Result<std::optional<raft::Message>>)>;
  void HandleRequest(raft::Message message, Reply reply);
  void HandleReply(const raft::Message& message);
  // A member said that this one is not in the group any more.
  void NoteStranger(ServerId by);

 private:
  struct Pending {
    LogIndex index;
    Term term;
    Done done;
  };
  // What is to be done without the lock.
  struct Work {
    std::vector<raft::Message> messages;
    std::vector<std::pair<Reply, std::optional<raft::Message>>> replies;
    std::vector<std::pair<std::function<void(bool)>, bool>> reads;
    std::vector<Done> lost;  // proposals whose leader is gone
    std::optional<raft::Membership> members;
    Status failure;
  };

  struct OpenRequest {
    Reply reply;
    raft::Time since;
    bool kept = false;  // the answer waits until a piece of a snapshot is stored
  };
  // Everybody who waits for an answer.
  struct Waiting {
    std::deque<Pending> proposals;
    std::map<uint64_t, OpenRequest> requests;
    absl::flat_hash_map<uint64_t, std::function<void(bool)>> reads;
  };

  RaftNode(RaftNodeOptions options, StateMachine& machine, RaftTransport& transport);

  // raft_node_open.cc
  Status Recover();
  Status InstallLeftSnapshot();
  bool IsSoleVoter(const raft::Membership& applied) const;
  Status OpenLog();
  void MakeCore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // raft_node.cc
  Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t max_bytes) override;
  raft::Time Now() const { return options_.clock->Now().since_boot; }
  void Tick();
  // Takes everything out of the core: what other threads do is queued for them, the rest returned.
  Work Collect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeMessages(std::vector<raft::Message> messages, Work& work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeReads(const std::vector<raft::ReadGrant>& grants, Work& work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<raft::Message> KeepSnapshotReplies(std::vector<raft::Message>& messages)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteLeadership(Work& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Leads(Term term) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  Waiting TakeWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void LetGo(Waiting waiting, const Status& reason);
  Status Failure() const {
    absl::MutexLock lock(&mu_);
    return failure_;
  }
  void Finish(Work work);
  void StopBecause(const Status& cause);

  // raft_node_disk.cc: on the disk thread.
  void Write(const raft::WriteBatch& batch);
  void NotWritten(const raft::WriteBatch& batch, const Status& cause);
  Status StorePiece(const raft::SnapshotPiece& piece);
  void TakePiece(const raft::SnapshotPiece& piece, const std::vector<raft::Message>& answers);
  void ForgetLost();
  void CompactWhenDue();
  void Compact(LogIndex durable);

  // raft_node_apply.cc: on the apply thread.
  void ApplyCommitted();
  void Answer(const std::vector<LogEntry>& entries, std::vector<std::string> outcomes);
  void TellLeadership();
  static bool CanBeFetchedAgain(const Status& installed);
  Status InstallFile(const raft::SnapshotPoint& point);
  void RefuseSnapshot(const raft::SnapshotPoint& point, const Status& reason);
  void InstallSnapshot(const raft::SnapshotPoint& point);
  void FinishInstall(const raft::SnapshotPoint& point);

  // On the snapshot thread.
  void SupplySnapshot(const raft::SnapshotWanted& wanted);

  const RaftNodeOptions options_;
  StateMachine& machine_;
  RaftTransport& transport_;
  std::unique_ptr<LogStorage> storage_;         // confined to the disk thread, but for ReadEntries
  std::unique_ptr<IncomingSnapshot> incoming_;  // likewise
  bool disk_full_ = false;                      // likewise
  bool compacting_ = false;                     // likewise
  size_t segments_left_ = 0;                    // likewise; when it was last compacted
  // Confined to the apply thread: OnLeading was called for it, OnFollowing not yet.
  Term told_term_;

  mutable absl::Mutex mu_;  // held over the core's work, never over disk, network or callbacks
  std::unique_ptr<raft::Core> core_ ABSL_GUARDED_BY(mu_);  // null until this member is in a group
  ServerId self_ ABSL_GUARDED_BY(mu_);
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mu_);
  std::vector<LogEntry> to_apply_ ABSL_GUARDED_BY(mu_);
  bool applying_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_map<uint64_t, std::function<void(bool)>> reads_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, OpenRequest> requests_ ABSL_GUARDED_BY(mu_);  // by tag
  uint64_t last_tag_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t last_read_ ABSL_GUARDED_BY(mu_) = 0;
  Term leading_term_ ABSL_GUARDED_BY(mu_);  // of the core when it was last looked at
  raft::Membership members_ ABSL_GUARDED_BY(mu_);
  raft::Time leader_heard_ ABSL_GUARDED_BY(mu_){};
  std::optional<raft::Time> stranger_since_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  Status failure_ ABSL_GUARDED_BY(mu_);

  std::atomic<uint64_t> serving_term_{0};
  std::atomic<uint64_t> applied_{0};
  std::atomic<bool> ticking_{false};
  SnapshotSender sender_;  // confined to the snapshot thread
  raft::Time idle_dropped_ ABSL_GUARDED_BY(mu_){};

  SerialExecutor disk_{"raft-disk"};
  SerialExecutor apply_{"raft-apply"};
  SerialExecutor house_{"raft-snapshot"};
  std::thread ticker_;
};

}  // namespace cairn

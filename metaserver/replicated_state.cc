#include "metaserver/replicated_state.h"

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/hash.h"
#include "common/logging.h"
#include "metaserver/disk_reserve.h"
#include "metaserver/inode_allocator.h"
#include "metaserver/operations/apply.h"
#include "metaserver/store/transaction.h"
#include "raft/single_member_log.h"

namespace cairn {

namespace {

bool MakesInode(const v1::Command& command) {
  switch (command.operation_case()) {
    case v1::Command::kCreate:
    case v1::Command::kMakeNode:
    case v1::Command::kMakeDirectory:
    case v1::Command::kMakeSymlink:
      return true;
    default:
      return false;
  }
}

Result<v1::Outcome> ParseOutcome(const Result<std::string>& bytes) {
  if (!bytes) {
    // A log that was stopped is, for whoever asks, a metaserver that is not there.
    const bool stopped = bytes.error().code() == ErrorCode::kCancelled;
    return Fail(stopped ? Status(ErrorCode::kUnavailable, "the metaserver is stopping")
                        : bytes.error());
  }
  v1::Outcome outcome;
  CAIRN_CHECK(outcome.ParseFromString(*bytes));
  return outcome;
}

// The store cannot be trusted any more; what was applied is in the log and comes again at the next
// start. To go on would mean answers that differ from what is kept.
void StopIfBroken(const Status& status) {
  if (!status.ok()) LOG_ERROR("metadata store failed, stopping error={}", status);
  CAIRN_CHECK(status.ok());
}

class AppliedState final : public ReplicatedState, public StateMachine {
 public:
  AppliedState(std::unique_ptr<KvStore> store, const Clock& clock,
               std::unique_ptr<DiskReserve> reserve)
      : store_(std::move(store)), clock_(clock), reserve_(std::move(reserve)),
        inodes_([this] { ReserveRange(); }) {}
  ~AppliedState() override { (void)Stop(); }

  Status Start(const OpenLog& open_log) {
    ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(*store_->View()));
    applied_index_ = state.applied_index();
    born_ = !state.cluster_id().empty();
    ASSIGN_OR_RETURN(log_, open_log(*this));
    return OkStatus();
  }

  void Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) override {
    if (reserve_ != nullptr) {
      Status admitted = reserve_->Admit(command);
      if (!admitted.ok()) return done(Fail(std::move(admitted)));
    }
    const WallTime now = clock_.WallNow();
    command.mutable_time()->set_seconds(now.seconds);
    command.mutable_time()->set_nanoseconds(now.nanoseconds);
    if (!MakesInode(command)) return Send(command, std::move(done));
    inodes_.Take(
        [this, command = std::move(command), done = std::move(done)](Result<InodeId> id) mutable {
          if (!id) return done(Fail(id.error()));
          command.set_new_inode(id->value);
          command.set_layout_seed(MixBits(id->value));
          Send(command, std::move(done));
        });
  }

  std::unique_ptr<ReadView> View() override { return store_->View(); }
  void OnMapChanged(std::function<void()> observer) override { map_changed_ = std::move(observer); }
  void OnApplied(std::function<void(const v1::Command&, const v1::Outcome&)> observer) override {
    applied_ = std::move(observer);
  }
  bool IsBorn() override { return born_; }

  Status Stop() override {
    absl::MutexLock lock(&stop_mu_);
    if (log_ == nullptr || std::exchange(stopped_, true)) return stop_status_;
    log_->Stop();
    if (auto durable = MakeDurable(); !durable) {
      LOG_WARN("state not synced at stop, the log will be replayed error={}", durable.error());
      stop_status_ = durable.error();
    }
    return stop_status_;
  }

  std::vector<std::string> Apply(std::span<const LogEntry> entries) override {
    std::vector<std::string> outcomes;
    RowChanges changes;
    bool map_changed = false;
    {
      const std::unique_ptr<ReadView> view = store_->View();
      Result<MetadataTransaction> txn = MetadataTransaction::Begin(*view);
      StopIfBroken(txn ? OkStatus() : txn.error());
      const uint64_t map_version = txn->state().map_version();
      for (const LogEntry& entry : entries) outcomes.push_back(ApplyEntry(entry, *txn));
      StopIfBroken(txn->store_status());
      txn->mutable_state().set_applied_term(entries.back().term.value);
      txn->mutable_state().set_applied_index(entries.back().index.value);
      map_changed = txn->state().map_version() != map_version;
      born_ = !txn->state().cluster_id().empty();
      changes = txn->Finish();
    }
    StopIfBroken(store_->Write(changes, /*sync=*/false));
    applied_index_ = entries.back().index.value;
    if (map_changed && map_changed_) map_changed_();
    return outcomes;
  }

  LogIndex AppliedIndex() override { return LogIndex(applied_index_); }

  Result<LogIndex> MakeDurable() override {
    const LogIndex applied(applied_index_);
    RETURN_IF_ERROR(store_->Write({}, /*sync=*/true));
    return applied;
  }

 private:
  void Send(const v1::Command& command, std::function<void(Result<v1::Outcome>)> done) {
    log_->Propose(command.SerializeAsString(), [done = std::move(done)](Result<std::string> bytes) {
      done(ParseOutcome(bytes));
    });
  }

  // Asked on a proposer's thread, answered on the one that commits.
  void ReserveRange() {
    v1::Command command;
    command.mutable_reserve_inodes()->set_count(kInodeRange);
    Propose(std::move(command), [this](Result<v1::Outcome> outcome) {
      if (!outcome) return inodes_.Refuse(outcome.error());
      if (outcome->code() != 0) {
        return inodes_.Refuse(Status(static_cast<ErrorCode>(outcome->code()), outcome->message()));
      }
      inodes_.Add(InodeId(outcome->first_inode()), kInodeRange);
    });
  }

  std::string ApplyEntry(const LogEntry& entry, MetadataTransaction& txn) {
    // An entry that does not parse was written by another version: every member says the same of
    // it.
    if (!command_.ParseFromString(entry.command)) command_.Clear();
    const v1::Outcome outcome = ApplyCommand(command_, txn);
    if (applied_ && txn.store_status().ok()) applied_(command_, outcome);
    return outcome.SerializeAsString();
  }

  const std::unique_ptr<KvStore> store_;
  const Clock& clock_;
  const std::unique_ptr<DiskReserve> reserve_;  // null: the store is not on a disk
  InodeAllocator inodes_;
  std::unique_ptr<ReplicatedLog> log_;
  std::function<void()> map_changed_;
  std::function<void(const v1::Command&, const v1::Outcome&)> applied_;
  v1::Command command_;  // confined to the applying thread; kept for its memory
  std::atomic<uint64_t> applied_index_{0};
  std::atomic<bool> born_{false};
  absl::Mutex stop_mu_;
  bool stopped_ ABSL_GUARDED_BY(stop_mu_) = false;
  Status stop_status_ ABSL_GUARDED_BY(stop_mu_);
};

}  // namespace

Result<v1::Outcome> ReplicatedState::ProposeAndWait(v1::Command command) {
  absl::Notification finished;
  Result<v1::Outcome> outcome;
  Propose(std::move(command), [&](Result<v1::Outcome> result) {
    outcome = std::move(result);
    finished.Notify();
  });
  finished.WaitForNotification();  // the log answers every proposal, be it with a failure
  return outcome;
}

Result<std::unique_ptr<ReplicatedState>> OpenReplicatedState(std::unique_ptr<KvStore> store,
                                                             const OpenLog& open_log,
                                                             const Clock& clock) {
  auto state = std::make_unique<AppliedState>(std::move(store), clock, nullptr);
  RETURN_IF_ERROR(state->Start(open_log));
  return std::unique_ptr<ReplicatedState>(std::move(state));
}

Result<std::unique_ptr<ReplicatedState>> ReplicatedState::Open(
    const ReplicatedStateOptions& options) {
  RETURN_IF_ERROR(options.files->MakeDirectory(options.directory));
  ASSIGN_OR_RETURN(std::unique_ptr<KvStore> store,
                   OpenLevelDbStore(options.directory + "/state", options.unclean_boot));
  const OpenLog open_log = [&options](StateMachine& machine) {
    SingleMemberLogOptions log;
    log.on_failed = options.on_failed;
    return OpenSingleMemberLog(options.directory + "/log", *options.files, machine, log);
  };
  auto state = std::make_unique<AppliedState>(
      std::move(store), *options.clock,
      std::make_unique<DiskReserve>([files = options.files, directory = options.directory] {
        return files->Space(directory);
      }));
  RETURN_IF_ERROR(state->Start(open_log));
  return std::unique_ptr<ReplicatedState>(std::move(state));
}

}  // namespace cairn

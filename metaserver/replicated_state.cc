#include "metaserver/replicated_state.h"

#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/hash.h"
#include "common/logging.h"
#include "metaserver/inode_allocator.h"
#include "metaserver/operations/apply.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/replies.h"
#include "metaserver/store/schema.h"
#include "metaserver/store/state_hash.h"
#include "metaserver/store/transaction.h"
#include "metaserver/store/view_rows.h"

namespace cairn {

namespace {

constexpr size_t kMarksKept = 64;
constexpr absl::Duration kLookForRoom = absl::Milliseconds(500);
constexpr size_t kLongestMark = 32;  // bytes of a time and an empty message

// A command that is nothing but a mark: told by its bytes, it is looked for in every entry.
bool IsMark(const LogEntry& entry) {
  if (entry.command.size() > kLongestMark) return false;
  v1::Command command;
  return command.ParseFromString(entry.command) && command.has_mark_hash();
}

// The hash of all rows, and of the row that is not among them.
uint64_t HashWithCounters(v1::StateRecord state) {
  const uint64_t rows = state.state_hash();
  state.clear_state_hash();
  return rows + RowHash(schema::StateKey(), state.SerializeAsString());
}

v1::Outcome LeadershipLost() {
  v1::Outcome outcome;
  outcome.set_code(static_cast<uint32_t>(ErrorCode::kUnavailable));
  outcome.set_message("leadership was lost while the change was prepared");
  return outcome;
}

Result<v1::Outcome> ParseOutcome(const Result<std::string>& bytes) {
  if (!bytes) {
    // A log that was stopped is, for whoever asks, a metaserver that is not there.
    // The same for one whose disk has failed: others may have the command, and commit it.
    const ErrorCode code = bytes.error().code();
    const bool stopped = code == ErrorCode::kCancelled || code == ErrorCode::kDiskFailed;
    return Fail(stopped ? Status(ErrorCode::kUnavailable, "the metaserver is stopping")
                        : bytes.error());
  }
  v1::Outcome outcome;
  CAIRN_CHECK(outcome.ParseFromString(*bytes));
  return outcome;
}

class AppliedState final : public ReplicatedState, public StateMachine, public LeadershipObserver {
 public:
  AppliedState(std::unique_ptr<StateHome> home, const Clock& clock,
               std::unique_ptr<DiskReserve> reserve, std::function<void(const Status&)> on_broken)
      : home_(std::move(home)),
        clock_(clock),
        reserve_(std::move(reserve)),
        on_broken_(std::move(on_broken)),
        inodes_([this] { ReserveRange(); }) {}
  ~AppliedState() override { (void)Stop(); }

  Status Start(const OpenLog& open_log) {
    ASSIGN_OR_RETURN(std::shared_ptr<KvStore> store, home_->Open());
    RETURN_IF_ERROR(Adopt(std::move(store)));
    ASSIGN_OR_RETURN(log_, open_log(*this, *this));
    return OkStatus();
  }

  void Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) override;
  std::unique_ptr<ReadView> View() override { return Store()->View(); }
  void OnMapChanged(std::function<void()> observer) override { map_changed_ = std::move(observer); }
  void OnAdmissionChange(std::function<void(bool)> observer) override {
    admission_change_ = std::move(observer);
  }
  void OnApplied(std::function<void(const v1::Command&, const v1::Outcome&)> observer) override {
    applied_ = std::move(observer);
  }
  Term ServingTerm() const override { return log_->ServingTerm(); }
  bool LeaseHolds(Term term) const override { return log_->LeaseHolds(term); }
  void ConfirmLeadership(Term term, std::function<void(bool leads)> done) override {
    log_->ConfirmLeadership(term, std::move(done));
  }
  void OnLeadership(std::function<void(bool leads)> observer) override {
    leadership_ = std::move(observer);
  }
  std::optional<uint64_t> HashAt(LogIndex mark) const override;
  bool IsBorn() override { return born_; }
  Status Stop() override;

  std::vector<std::string> Apply(std::span<const LogEntry> entries) override;
  raft::SnapshotPoint Applied() override {
    absl::MutexLock lock(&mu_);
    return point_;
  }
  Result<LogIndex> MakeDurable() override;
  Result<StateSnapshot> TakeSnapshot() override;
  Status Install(const raft::SnapshotPoint& point, RowSource& rows) override;

  void OnLeading(Term) override {
    if (leadership_) leadership_(true);
  }
  void OnFollowing() override {
    if (leadership_) leadership_(false);
  }

 private:
  std::shared_ptr<KvStore> Store() {
    absl::MutexLock lock(&mu_);
    return store_;
  }
  Status Adopt(std::shared_ptr<KvStore> store);
  void Send(const v1::Command& command, std::function<void(Result<v1::Outcome>)> done);
  void ReserveRange();
  size_t ApplyBatch(std::span<const LogEntry> entries, std::vector<std::string>& outcomes);
  void AwaitRoom();
  void StopIfBroken(const Status& status);
  std::string ApplyEntry(const LogEntry& entry, MetadataTransaction& txn);
  void NoteMark(const LogEntry& entry, const v1::StateRecord& state, v1::Outcome& outcome);

  const std::unique_ptr<StateHome> home_;  // confined to the applying thread
  const Clock& clock_;
  const std::unique_ptr<DiskReserve> reserve_;  // null: the store is not on a disk
  const std::function<void(const Status&)> on_broken_;
  InodeAllocator inodes_;
  std::unique_ptr<ReplicatedLog> log_;
  std::function<void()> map_changed_;
  std::function<void(bool shown)> admission_change_;
  std::function<void(const v1::Command&, const v1::Outcome&)> applied_;
  std::function<void(bool)> leadership_;
  v1::Command command_;             // confined to the applying thread; kept for its memory
  bool admission_touched_ = false;  // likewise: by the batch that is being applied
  std::atomic<bool> born_{false};
  mutable absl::Mutex mu_;
  std::shared_ptr<KvStore> store_ ABSL_GUARDED_BY(mu_);
  raft::SnapshotPoint point_ ABSL_GUARDED_BY(mu_);
  std::map<LogIndex, uint64_t> marks_ ABSL_GUARDED_BY(mu_);
  absl::Mutex stop_mu_;
  bool stopped_ ABSL_GUARDED_BY(stop_mu_) = false;
  Status stop_status_ ABSL_GUARDED_BY(stop_mu_);
};

void AppliedState::Propose(v1::Command command, std::function<void(Result<v1::Outcome>)> done) {
  if (reserve_ != nullptr) {
    Status admitted = reserve_->Admit(command);
    // One that has run is answered, however little room there is (rule M3).
    if (!admitted.ok() && !HasReply(*View(), command)) return done(Fail(std::move(admitted)));
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

void AppliedState::Send(const v1::Command& command, std::function<void(Result<v1::Outcome>)> done) {
  log_->Propose(command.SerializeAsString(),
                [done = std::move(done)](Result<std::string> bytes) { done(ParseOutcome(bytes)); });
}

// Asked on a proposer's thread, answered on the one that commits.
void AppliedState::ReserveRange() {
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

// The store is the state from now on.
Status AppliedState::Adopt(std::shared_ptr<KvStore> store) {
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(*store->View()));
  raft::SnapshotPoint point{LogIndex(state.applied_index()), Term(state.applied_term()), {}};
  if (!state.metaservers().empty()) {
    ASSIGN_OR_RETURN(point.membership, raft::DecodeMembership(state.metaservers()));
  }
  born_ = !state.cluster_id().empty();
  absl::MutexLock lock(&mu_);
  if (store_ != nullptr) store_->Discard();
  store_ = std::move(store);
  point_ = std::move(point);
  marks_.clear();
  return OkStatus();
}

Status AppliedState::Stop() {
  {
    absl::MutexLock lock(&stop_mu_);
    if (log_ == nullptr || std::exchange(stopped_, true)) return stop_status_;
  }
  log_->Stop();
  absl::MutexLock lock(&stop_mu_);
  if (auto durable = MakeDurable(); !durable) {
    LOG_WARN("state not synced at stop, the log will be replayed error={}", durable.error());
    stop_status_ = durable.error();
  }
  return stop_status_;
}

std::vector<std::string> AppliedState::Apply(std::span<const LogEntry> entries) {
  std::vector<std::string> outcomes;
  outcomes.reserve(entries.size());
  while (!entries.empty()) entries = entries.subspan(ApplyBatch(entries, outcomes));
  return outcomes;
}

// Applies entries up to, but not including, a mark behind the first: a mark tells the hash of a
// whole batch. Answers how many.
size_t AppliedState::ApplyBatch(std::span<const LogEntry> entries,
                                std::vector<std::string>& outcomes) {
  const std::shared_ptr<KvStore> store = Store();
  const std::unique_ptr<ReadView> view = store->View();
  Result<MetadataTransaction> txn = MetadataTransaction::Begin(*view);
  StopIfBroken(txn ? OkStatus() : txn.error());
  const uint64_t map_version = txn->state().map_version();
  size_t count = 0;
  const std::string metaservers = txn->state().metaservers();
  for (const LogEntry& entry : entries) {
    if (entry.kind == EntryKind::kCommand && IsMark(entry) && count > 0) break;
    ++count;
    if (entry.kind == EntryKind::kMembership) txn->mutable_state().set_metaservers(entry.command);
    outcomes.push_back(entry.kind == EntryKind::kCommand ? ApplyEntry(entry, *txn) : "");
  }
  StopIfBroken(txn->store_status());
  const LogEntry& last = entries[count - 1];
  txn->mutable_state().set_applied_term(last.term.value);
  txn->mutable_state().set_applied_index(last.index.value);
  const bool map_changed = txn->state().map_version() != map_version;
  born_ = !txn->state().cluster_id().empty();
  const Result<RowChanges> changes = txn->Finish();
  StopIfBroken(changes ? OkStatus() : changes.error());
  AwaitRoom();
  // Who is in the group decides what a start does with a damaged log (rule M5): that must not be
  // older in the state than in the log.
  const bool group_changed = txn->state().metaservers() != metaservers;
  const bool tells_admission = std::exchange(admission_touched_, false) && admission_change_;
  if (tells_admission) admission_change_(false);
  StopIfBroken(store->Write(*changes, /*sync=*/group_changed));
  if (tells_admission) admission_change_(true);
  raft::SnapshotPoint point = Applied();
  point.index = last.index;
  point.term = last.term;
  if (group_changed) {
    Result<raft::Membership> next = raft::DecodeMembership(txn->state().metaservers());
    StopIfBroken(next ? OkStatus() : next.error());
    point.membership = *std::move(next);
  }
  {
    absl::MutexLock lock(&mu_);
    point_ = std::move(point);
  }
  if (map_changed && map_changed_) map_changed_();
  return count;
}

// The store cannot be trusted any more; what was applied is in the log and comes again at the next
// start. To go on would mean answers that differ from what is kept.
void AppliedState::StopIfBroken(const Status& status) {
  if (status.ok()) return;
  LOG_ERROR("metadata store failed, stopping error={}", status);
  if (on_broken_) on_broken_(status);
  CAIRN_CHECK(status.ok());
}

// A store that has failed to write does not write again until it is opened anew: it is not asked
// while the disk is about to be full. Somebody whose disk has room should lead meanwhile.
void AppliedState::AwaitRoom() {
  if (reserve_ == nullptr || reserve_->HasRoomToApply()) return;
  LOG_ERROR("the disk is full, nothing is applied until there is room");
  while (!reserve_->HasRoomToApply()) {
    log_->HandOver();
    absl::MutexLock lock(&stop_mu_);
    const auto stopped = [this]() ABSL_SHARED_LOCKS_REQUIRED(stop_mu_) { return stopped_; };
    if (stop_mu_.AwaitWithTimeout(absl::Condition(&stopped), kLookForRoom)) break;
  }
  if (reserve_->HasRoomToApply()) LOG_INFO("there is room on the disk again");
}

std::string AppliedState::ApplyEntry(const LogEntry& entry, MetadataTransaction& txn) {
  // An entry that does not parse was written by another version: every member says the same of it.
  if (!command_.ParseFromString(entry.command)) command_.Clear();
  const bool late = command_.only_in_term() != 0 && command_.only_in_term() != entry.term.value;
  v1::Outcome outcome = late ? LeadershipLost() : ApplyCommand(command_, txn);
  admission_touched_ =
      admission_touched_ || command_.has_rotate_token_key() || command_.close_session().fence();
  if (command_.has_mark_hash()) NoteMark(entry, txn.state(), outcome);
  if (applied_ && txn.store_status().ok()) applied_(command_, outcome);
  return outcome.SerializeAsString();
}

// A mark begins its batch: the state is that of the entry before, on every member.
void AppliedState::NoteMark(const LogEntry& entry, const v1::StateRecord& state,
                            v1::Outcome& outcome) {
  const uint64_t hash = HashWithCounters(state);
  outcome.set_index(entry.index.value);
  outcome.set_state_hash(hash);
  absl::MutexLock lock(&mu_);
  marks_[entry.index] = hash;
  if (marks_.size() > kMarksKept) marks_.erase(marks_.begin());
}

std::optional<uint64_t> AppliedState::HashAt(LogIndex mark) const {
  absl::MutexLock lock(&mu_);
  const auto found = marks_.find(mark);
  return found == marks_.end() ? std::nullopt : std::optional(found->second);
}

Result<LogIndex> AppliedState::MakeDurable() {
  std::shared_ptr<KvStore> store;
  LogIndex applied;
  {
    absl::MutexLock lock(&mu_);
    store = store_;
    applied = point_.index;
  }
  RETURN_IF_ERROR(store->Write({}, /*sync=*/true));
  return applied;
}

Result<StateSnapshot> AppliedState::TakeSnapshot() {
  std::unique_ptr<ReadView> view = View();
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(*view));
  StateSnapshot snapshot;
  snapshot.point.index = LogIndex(state.applied_index());
  snapshot.point.term = Term(state.applied_term());
  if (!state.metaservers().empty()) {
    ASSIGN_OR_RETURN(snapshot.point.membership, raft::DecodeMembership(state.metaservers()));
  }
  snapshot.rows = std::make_unique<ViewRows>(std::move(view));
  return snapshot;
}

Status AppliedState::Install(const raft::SnapshotPoint& point, RowSource& rows) {
  ASSIGN_OR_RETURN(std::shared_ptr<KvStore> store, home_->BeginAnother());
  RETURN_IF_ERROR(FillStore(rows, *store));
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(*store->View()));
  if (state.applied_index() != point.index.value || state.applied_term() != point.term.value) {
    return Status::Error(ErrorCode::kCorruption, "a snapshot of {} that says it is of {}",
                         point.index, state.applied_index());
  }
  ASSIGN_OR_RETURN(const uint64_t hash, HashOf(*store->View()));
  if (hash != state.state_hash()) {
    return Status::Error(ErrorCode::kCorruption, "a snapshot of {} whose rows are not its state's",
                         point.index);
  }
  RETURN_IF_ERROR(home_->Switch());
  if (admission_change_) admission_change_(false);
  const Status adopted = Adopt(std::move(store));
  if (admission_change_) admission_change_(true);
  RETURN_IF_ERROR(adopted);
  if (map_changed_) map_changed_();
  return OkStatus();
}

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

Result<std::unique_ptr<ReplicatedState>> OpenReplicatedState(
    std::unique_ptr<StateHome> home, const OpenLog& open_log, const Clock& clock,
    std::unique_ptr<DiskReserve> reserve, std::function<void(const Status&)> on_broken) {
  auto state = std::make_unique<AppliedState>(std::move(home), clock, std::move(reserve),
                                              std::move(on_broken));
  RETURN_IF_ERROR(state->Start(open_log));
  return std::unique_ptr<ReplicatedState>(std::move(state));
}

}  // namespace cairn

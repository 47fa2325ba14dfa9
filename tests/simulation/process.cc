#include "tests/simulation/process.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/harness_bug.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/message_hash.h"

namespace cairn::simulation {

namespace {
constexpr Time kTick = 20ms;
constexpr size_t kMaxBatch = 64;
constexpr uint64_t kTicksBetweenLooks = 5;
}  // namespace

Process::Process(World& world, Machine& machine, Network& network)
    : world_(world), machine_(machine), network_(network) {}

Process::~Process() = default;

void Process::Start() {
  MakeCore(OpenDisk());
  service_ = std::make_unique<Service>(world_, machine_, *this);
  snapshots_ = std::make_unique<SnapshotTraffic>(world_, machine_, *this);
  enqueued_ = machine_.state().applied().index;
  if (stopped_) return;
  ForgetLostIfBack();
  Pump();
  machine_.After(kTick, [this] { Tick(); });
}

raft::StartState Process::OpenDisk() {
  machine_.state().Sync();  // the log may be cut down to what the state has (rule M2)
  const raft::SnapshotPoint applied = machine_.state().applied();
  Result<raft::StartState> start = machine_.disk().Open(applied);
  if (!start) {
    if (start.error().code() != ErrorCode::kUnavailable) {
      world_.violations.Add("disk", fmt::format("{}: {}", machine_.id(), start.error()));
    }
    (void)IsDone(start.error());
    // Something to stand on until the process has ended.
    raft::StartState nothing;
    nothing.applied = applied;
    nothing.first_index = LogIndex(applied.index.value + 1);
    nothing.last_index = applied.index;
    return nothing;
  }
  world_.log_rules.Started(machine_, *start);
  world_.trace.Line([&] { return machine_.DescribeDisk(); });
  return *std::move(start);
}

void Process::MakeCore(const raft::StartState& start) {
  log_.emplace(start);
  raft::CoreOptions options = world_.plan.core;
  options.self = machine_.id();
  options.incarnation = machine_.disk().incarnation();
  options.seed =
      MixBits(world_.plan.seed ^ MixBits(options.self.value) ^ options.incarnation.value);
  core_ = std::make_unique<raft::Core>(options, start, machine_.disk(), machine_.local_now());
}

void Process::Tick() {
  if (stopped_) return;
  core_->Tick(machine_.local_now());
  Pump();
  if (++ticks_ % kTicksBetweenLooks == 0) LookAtPeers();
  service_->Tick();
  machine_.After(kTick, [this] { Tick(); });
}

void Process::Step(const raft::Message& message) {
  if (stopped_) return;
  world_.trace.Add(5, HashOf(message));
  world_.trace.Line([&] { return ToString(message); });
  world_.log_rules.Delivered(machine_, message);
  core_->Step(message, machine_.local_now());
  Pump();
}

void Process::Pump() {
  if (std::exchange(pumping_, true)) return;
  LookAtLeadership();
  while (!stopped_) {
    raft::Ready ready = core_->TakeReady();
    if (ready.empty()) break;
    Handle(ready);
  }
  pumping_ = false;
  LookAtLeadership();
  if (core_->failure().ok() || std::exchange(stopped_, true)) return;
  machine_.Fail(core_->failure().ToString(), false);
}

void Process::Handle(raft::Ready& ready) {
  if (ready.write) BeginWrite(*std::move(ready.write));
  for (raft::Message& message : ready.messages) Send(message);
  Enqueue(std::move(ready.committed));
  for (const raft::ReadGrant& grant : ready.reads) service_->Granted(grant);
  for (const raft::SnapshotWanted& wanted : ready.snapshots_wanted) snapshots_->Supply(wanted);
  if (ready.recovered) (void)IsDone(machine_.disk().ForgetLost());
  if (ready.incoming_piece) snapshots_->Take(*std::move(ready.incoming_piece));
}

void Process::Send(const raft::Message& message) {
  world_.log_rules.Sending(machine_, message);
  network_.Send(message);
}

void Process::BeginWrite(raft::WriteBatch batch) {
  CAIRN_CHECK(!writing_);
  for (const LogEntry& entry : batch.entries) {
    world_.log_rules.Writing(machine_, entry, *log_);
    if (!log_->Put(entry.index, entry.term)) {
      world_.violations.Add("log order",
                            fmt::format("{} leaves a gap before {}", machine_.id(), entry.index));
    }
  }
  writing_ = std::move(batch);
  machine_.After(machine_.DiskDelay(), [this] { FinishWrite(); });
}

void Process::FinishWrite() {
  if (stopped_ || !writing_) return;
  const raft::WriteBatch batch = *std::exchange(writing_, std::nullopt);
  if (machine_.TakeFailedSync()) {
    // Who knows what of it is there; the disk is not asked again (rule M4).
    machine_.disk().WritePartly(batch, true, machine_.random());
    stopped_ = true;
    return machine_.Fail("the disk failed an fsync", true);
  }
  machine_.disk().SetFull(machine_.disk_is_full());
  const Status written = machine_.disk().Write(batch);
  machine_.disk().SetFull(false);
  if (written.code() == ErrorCode::kNoSpace) {
    world_.trace.Line([&] { return fmt::format("{} has no room for a write", machine_.id()); });
    core_->NotPersisted(batch.number, machine_.local_now());
    Withdraw(batch);
  } else if (IsDone(written)) {
    Persisted(batch);
  }
  Pump();
  if (!stopped_ && !writing_) snapshots_->DiskIsIdle();
}

// The core may drop what could not be stored, if nobody else has heard of it.
void Process::Withdraw(const raft::WriteBatch& batch) {
  const LogIndex last = core_->Describe().last_index;
  for (const LogEntry& entry : batch.entries) {
    if (entry.index > last) world_.log_rules.Withdrawn(entry);
  }
  service_->Withdrawn(last);
}

void Process::Persisted(const raft::WriteBatch& batch) {
  world_.trace.Add(6, machine_.id().value, batch.number, machine_.disk().last_index().value);
  if (HarnessBugIs(HarnessBug::kAppliedBeforeCommitted)) Enqueue(batch.entries);
  core_->Persisted(batch.number, machine_.local_now());
}

bool Process::IsDone(const Status& status) {
  if (status.ok()) return true;
  stopped_ = true;
  machine_.Fail(status.ToString(), true);
  return false;
}

void Process::AbandonWrite() {
  if (!writing_) return;
  const bool torn = machine_.random().Chance(world_.plan.torn_writes);
  machine_.disk().WritePartly(*writing_, torn, machine_.random());
}

// The life before had them again, and ended before it could say so.
void Process::ForgetLostIfBack() {
  Disk& disk = machine_.disk();
  const LogIndex there = std::max(disk.synced(), machine_.state().durable());
  if (disk.lost().value == 0 || there < disk.lost()) return;
  (void)IsDone(disk.ForgetLost());
}

void Process::Enqueue(std::vector<LogEntry> entries) {
  for (LogEntry& entry : entries) {
    if (HarnessBugIs(HarnessBug::kAppliedBeforeCommitted) && entry.index <= enqueued_) continue;
    if (!HarnessBugIs(HarnessBug::kAppliedBeforeCommitted)) {
      world_.log_rules.Committed(machine_, entry);
    }
    enqueued_ = entry.index;
    committed_.push_back(std::move(entry));
  }
  if (!committed_.empty()) ApplyLater();
}

void Process::ApplyLater() {
  if (std::exchange(apply_is_due_, true)) return;
  const Time delay = machine_.random().Between(Time(0), world_.plan.apply_delay);
  machine_.After(delay, [this] {
    apply_is_due_ = false;
    ApplyNow();
  });
}

void Process::ApplyNow() {
  if (stopped_ || committed_.empty()) return;
  const size_t count = std::min(committed_.size(), kMaxBatch);
  const std::vector<LogEntry> batch(std::make_move_iterator(committed_.begin()),
                                    std::make_move_iterator(committed_.begin() + count));
  committed_.erase(committed_.begin(), committed_.begin() + count);
  const LogIndex applied = machine_.state().applied().index;
  if (batch.front().index.value != applied.value + 1) {
    return world_.violations.Add(
        "state machine safety",
        fmt::format("{} is to apply {} behind {}", machine_.id(), batch.front().index, applied));
  }
  ApplyBatch(batch);
  if (!committed_.empty()) ApplyLater();
  Pump();
}

void Process::ApplyBatch(const std::vector<LogEntry>& batch) {
  State& state = machine_.state();
  const std::vector<AppliedCommand> done = state.Apply(batch, machine_.local_now());
  const LogIndex applied = state.applied().index;
  world_.trace.Add(7, machine_.id().value, applied.value, state.hash());
  world_.log_rules.Applied(machine_, applied, state.hash());
  core_->Applied(applied);
  for (size_t i = 0; i < batch.size(); ++i) {
    world_.trace.Line([&] {
      return fmt::format("{} applies {}/{}: {}", machine_.id(), batch[i].index, batch[i].term,
                         ToString(done[i]));
    });
    service_->Applied(batch[i], done[i]);
  }
  service_->AppliedUpTo(applied);
  SyncAndCompact();
}

void Process::SyncAndCompact() {
  State& state = machine_.state();
  const uint64_t applied = state.applied().index.value;
  if (applied - state.durable().value < world_.plan.sync_state_every) return;
  if (!HarnessBugIs(HarnessBug::kLogCompactedTooEarly)) state.Sync();
  if (applied <= world_.plan.keep_entries || writing_) return;
  const LogIndex through(applied - world_.plan.keep_entries);
  if (through < machine_.disk().first_index()) return;
  world_.log_rules.Compacting(machine_, through);
  if (!IsDone(machine_.disk().Compact(through))) return;
  const LogIndex first = machine_.disk().first_index();
  world_.trace.Add(15, machine_.id().value, first.value);
  machine_.Compacted(LogIndex(first.value - 1));
  log_->Compact(first);
  core_->Compacted(first);
}

void Process::InstallSnapshot(const raft::SnapshotPoint& point) {
  if (!IsDone(machine_.disk().Reset(LogIndex(point.index.value + 1)))) return;
  machine_.Compacted(point.index);
  log_->Reset(point.index, point.term);
  enqueued_ = point.index;
  core_->SnapshotInstalled(point, machine_.local_now());
  Pump();
}

void Process::LookAtLeadership() {
  const Term term = core_->LeadingTerm();
  if (term == leading_) return;
  leading_ = term;
  service_->LeadershipChanged();
  if (term.value == 0) return;
  world_.trace.Add(8, machine_.id().value, term.value);
  world_.trace.Line([&] { return fmt::format("{} leads in term {}", machine_.id(), term); });
  commit_when_elected_ = core_->Describe().commit;
  world_.log_rules.Elected(machine_, term, *log_);
}

void Process::LookAtPeers() {
  if (leading_.value == 0) return;
  if (core_->LeaseHolds(machine_.local_now())) {
    world_.log_rules.LeaseHeld(machine_, leading_, core_->FirstOwnIndex());
  }
  for (const raft::CoreStatus::Peer& peer : core_->Describe().peers) {
    world_.log_rules.Believes(machine_, leading_, peer.id, peer.match);
  }
}

}  // namespace cairn::simulation

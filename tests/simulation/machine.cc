#include "tests/simulation/machine.h"

#include "tests/simulation/process.h"

namespace cairn::simulation {

namespace {
constexpr size_t kMaxKept = 2000;  // what waits for a paused process in sockets
constexpr int kMaxDriftPpm = 50000;
}  // namespace

Machine::Machine(World& world, Network& network, ServerId id, raft::Membership founders,
                 std::unique_ptr<Disk> disk)
    : world_(world),
      network_(network),
      id_(id),
      random_(world.plan.seed, kMachineStream + id.value),
      disk_(std::move(disk)),
      state_(std::move(founders)) {
  clock_base_ = random_.Between(1s, 100000s);
  ChangeClock(random_);
  world_.log_rules.Add(*this);
}

Machine::~Machine() = default;

void Machine::Start() {
  if (running() || retired_) return;
  world_.trace.Add(1, id_.value);
  world_.trace.Line([&] { return fmt::format("{} starts", id_); });
  ++life_;
  failing_ = false;
  started_ = local_now();
  started_alone_ = is_alone();
  process_ = std::make_unique<Process>(world_, *this, network_);
  process_->Start();
}

void Machine::EndProcess() {
  if (!running()) return;
  process_->AbandonWrite();
  process_.reset();
  ++life_;
  kept_.clear();
  paused_until_ = Time(0);
}

void Machine::Crash() {
  if (!running()) return;
  world_.trace.Add(2, id_.value);
  world_.trace.Line([&] { return fmt::format("{} crashes", id_); });
  EndProcess();
}

void Machine::Stop() {
  if (running() && !process_->has_stopped() && !process_->busy_writing()) {
    (void)disk_->Close().ok();  // it ends anyway
  }
  Crash();
}

void Machine::LosePower() {
  world_.trace.Add(3, id_.value);
  world_.trace.Line([&] { return fmt::format("{} loses power", id_); });
  EndProcess();
  disk_->LosePower(random_);
  state_.LosePower(random_);
  next_sync_fails_ = false;
  // Boot time begins anew.
  clock_base_ = random_.Between(1s, 100s);
  clock_since_ = world_.scheduler.now();
}

void Machine::Fail(const std::string& why, bool power) {
  if (std::exchange(failing_, true)) return;
  world_.trace.Line([&] { return fmt::format("{} stops: {}", id_, why); });
  After(Time(0), [this, power] {
    power ? LosePower() : Crash();
    world_.scheduler.After(random_.Between(100ms, 3s), [this] { Start(); });
  });
}

void Machine::Pause(Time duration) {
  if (!running() || paused()) return;
  world_.trace.Add(4, id_.value, duration.count());
  world_.trace.Line([&] { return fmt::format("{} is paused for {} ms", id_, duration / 1ms); });
  paused_until_ = world_.scheduler.now() + duration;
  world_.scheduler.At(paused_until_, [this, life = life_] {
    if (life == life_ && !paused()) Resume();
  });
}

void Machine::Resume() {
  paused_until_ = Time(0);
  std::deque<std::pair<uint64_t, Action>> kept;
  kept.swap(kept_);
  for (auto& [life, action] : kept) RunOrKeep(life, action);
}

void Machine::Retire() {
  if (running()) EndProcess();
  retired_ = true;
}

void Machine::RunOrKeep(uint64_t life, const Action& action) {
  if (life != life_ || !running()) return;
  if (!paused()) return action();
  if (kept_.size() < kMaxKept) kept_.emplace_back(life, action);
}

void Machine::After(Time delay, Action action) {
  world_.scheduler.After(
      delay, [this, life = life_, action = std::move(action)] { RunOrKeep(life, action); });
}

void Machine::Deliver(const std::shared_ptr<const raft::Message>& message) {
  RunOrKeep(life_, [this, message] { process_->Step(*message); });
}

void Machine::Ask(Action action) {
  RunOrKeep(life_, action);
}

Time Machine::local_now() const {
  const Time passed = world_.scheduler.now() - clock_since_;
  return clock_base_ + passed + Time(passed.count() * clock_ppm_ / 1000000);
}

WallTime Machine::WallNow() const {
  const Time now = world_.scheduler.now();
  return {1000000000 + now / 1s + wall_offset_, static_cast<uint32_t>((now % 1s).count())};
}

void Machine::ChangeClock(Random& random) {
  clock_base_ = local_now();
  clock_since_ = world_.scheduler.now();
  clock_ppm_ = world_.plan.drift ? random.Between(-kMaxDriftPpm, kMaxDriftPpm) : 0;
  wall_offset_ += random.Between(-100000, 100000);
}

Time Machine::DiskDelay() {
  const Time usual = random_.Around(world_.plan.disk_latency);
  return world_.scheduler.now() < slow_until_ ? random_.Between(100ms, 2s) : usual;
}

void Machine::HealDisk() {
  slow_until_ = full_until_ = Time(0);
  next_sync_fails_ = false;
  disk_->Heal();
}

bool Machine::HasHeld(LogIndex index, Term term) const {
  if (index <= state_.durable() || index <= disk_->lost()) return true;
  return index <= disk_->synced() && disk_->TermAt(index) == term;
}

bool Machine::is_alone() const {
  const raft::Membership& membership = state_.applied().membership;
  return membership.voters.size() == 1 && membership.voters.contains(id_);
}

LogIndex Machine::commit() const {
  return running() ? process_->core().Describe().commit : LogIndex(0);
}

LogIndex Machine::commit_when_elected() const {
  return process_->commit_when_elected();
}

std::optional<Term> Machine::TermInLog(LogIndex index) const {
  return process_->log().TermAt(index);
}

bool Machine::holds_lease_before(Term term) const {
  if (!running() || process_->core().LeadingTerm() >= term) return false;
  return process_->core().LeaseHolds(local_now());
}

raft::Membership Machine::newest_membership() const {
  return process_->core().Describe().membership;
}

std::optional<raft::Membership> Machine::leads_with() const {
  if (!running() || process_->core().LeadingTerm().value == 0) return std::nullopt;
  return newest_membership();
}

std::string Machine::DescribeDisk() const {
  return fmt::format("{}: log {}..{} lost {} state {} (durable {})", id_, disk_->first_index(),
                     disk_->last_index(), disk_->lost(), state_.applied().index, state_.durable());
}

std::string Machine::Describe() const {
  const std::string text = DescribeDisk();
  if (!running()) return text + " down";
  const raft::CoreStatus status = process_->core().Describe();
  return text + fmt::format(" role {} term {} leader {} commit {}{}{}; {}",
                            static_cast<int>(status.role), status.term, status.leader,
                            status.commit, status.voting ? "" : " not voting",
                            status.recovering ? " recovering" : "", ToString(status.membership));
}

}  // namespace cairn::simulation

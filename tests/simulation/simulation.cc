#include "tests/simulation/simulation.h"

#include <utility>

#include "tests/simulation/file_disk.h"
#include "tests/simulation/model_disk.h"
#include "tests/simulation/process.h"

namespace cairn::simulation {

namespace {
// After the last fault.
constexpr Time kProgressWithin = 10s;

// Who gets an entry or two at a time, and has a slow disk, needs longer to be where the others are.
Time EqualWithin(const Plan& plan) {
  return plan.core.max_append_bytes < 1024 ? Time(60s) : kProgressWithin;
}
}  // namespace

Simulation::Simulation(const Plan& plan, bool printing)
    : world_(plan, printing),
      network_(world_,
               [this](const std::shared_ptr<const raft::Message>& message) {
                 if (Machine* machine = Find(message->to)) machine->Deliver(message);
               }),
      operator_(world_, *this),
      faults_(world_, network_, *this, operator_) {
  for (int i = 1; i <= plan.members; ++i) {
    founders_.voters[ServerId(static_cast<uint32_t>(i))] = fmt::format("m{}", i);
  }
  world_.log_rules.Born(founders_);
  for (const auto& [id, address] : founders_.voters) Add(id, founders_);
  for (int i = 0; i < plan.clients; ++i) AddClient(plan.think_time);
  if (plan.idle_think_time != Time(0)) AddClient(plan.idle_think_time);
}

void Simulation::AddClient(Time think_time) {
  Members& members = *this;
  clients_.push_back(
      std::make_unique<Client>(world_, network_, members, clients_.size() + 1, think_time));
}

Simulation::~Simulation() = default;

void Simulation::Add(ServerId id, raft::Membership founders) {
  last_id_ = std::max(last_id_, id.value);
  const size_t segment_bytes = world_.plan.segment_bytes;
  std::unique_ptr<Disk> disk;
  if (segment_bytes == 0)
    disk = std::make_unique<ModelDisk>();
  else
    disk = std::make_unique<FileDisk>(id, segment_bytes);
  machines_[id] =
      std::make_unique<Machine>(world_, network_, id, std::move(founders), std::move(disk));
}

Machine* Simulation::Find(ServerId id) {
  auto machine = machines_.find(id);
  return machine == machines_.end() || machine->second->retired() ? nullptr : machine->second.get();
}

std::vector<ServerId> Simulation::Ids() {
  std::vector<ServerId> ids;
  for (const auto& [id, machine] : machines_) {
    if (!machine->retired()) ids.push_back(id);
  }
  return ids;
}

ServerId Simulation::AddMachine() {
  const ServerId id(last_id_ + 1);
  Add(id, {});
  machines_[id]->Start();
  return id;
}

void Simulation::RemoveMachine(ServerId id) {
  if (Machine* machine = Find(id)) machine->Retire();
}

void Simulation::Forget(ServerId id) {
  machines_[id]->Retire();
  gone_.push_back(std::move(machines_[id]));
  Add(id, founders_);
  machines_[id]->Start();
}

bool Simulation::SomebodyIsImpaired() {
  for (const auto& [id, machine] : machines_) {
    if (machine->retired()) continue;
    if (machine->disk().has_hidden_damage() || machine->disk().lost().value != 0) return true;
  }
  return false;
}

RunResult Simulation::Run() {
  world_.trace.Line([&] { return ToString(world_.plan); });
  for (const auto& [id, machine] : machines_) machine->Start();
  for (const auto& client : clients_) client->Start();
  operator_.Start();
  faults_.Start();
  if (RunUntil(world_.plan.length)) Settle();
  RunResult result;
  result.hash = world_.trace.hash();
  result.steps = world_.scheduler.steps();
  result.length = world_.scheduler.now();
  result.acknowledged = world_.client_rules.acknowledged();
  result.committed = world_.log_rules.committed().value;
  result.segments = CountSegments();
  result.violation = world_.violations.first();
  return result;
}

SegmentCounts Simulation::CountSegments() const {
  SegmentCounts all;
  for (const auto& [id, machine] : machines_) {
    const SegmentCounts counts = machine->disk().segments();
    all.made += counts.made;
    all.recycled += counts.recycled;
    all.removed += counts.removed;
  }
  return all;
}

bool Simulation::RunUntil(Time end) {
  while (!world_.violations.first()) {
    if (!world_.scheduler.RunOne(end)) return true;
  }
  return false;
}

void Simulation::Settle() {
  world_.trace.Line([] { return "faults are over"; });
  faults_.End();
  operator_.Stop();
  const Time faults_ended = world_.scheduler.now();
  const Time equal_within = EqualWithin(world_.plan);
  bool served = false;
  for (Time passed{}; passed < (served ? equal_within : kProgressWithin); passed += 100ms) {
    if (!RunUntil(faults_ended + passed + 100ms)) return;
    if (HasSettled()) return;
    served = world_.client_rules.newest_acknowledged() >= world_.plan.length;
  }
  std::string what =
      served ? fmt::format("members differ {} s after the last fault",
                           std::chrono::duration_cast<std::chrono::seconds>(equal_within).count())
             : "no change was acknowledged in 10 s without faults";
  for (ServerId id : Ids()) what += "\n  " + Find(id)->Describe();
  world_.violations.Add("progress", what);
}

bool Simulation::HasSettled() {
  if (world_.client_rules.newest_acknowledged() < world_.plan.length) return false;
  bool idle = true;
  for (const auto& client : clients_) {
    client->Stop();
    idle = idle && client->idle();
  }
  const Machine* leader = NewestLeader();
  if (!idle || leader == nullptr) return false;
  for (ServerId id : leader->state().applied().membership.All()) {
    const Machine* machine = Find(id);
    if (machine == nullptr) continue;
    if (machine->state().applied().index != world_.log_rules.committed()) return false;
    if (machine->state().hash() != leader->state().hash()) return false;
  }
  return true;
}

Machine* Simulation::NewestLeader() {
  Machine* newest = nullptr;
  Term term;
  for (const auto& [id, machine] : machines_) {
    if (!machine->running()) continue;
    const Term leading = machine->process()->core().LeadingTerm();
    if (leading > term) newest = machine.get();
    term = std::max(term, leading);
  }
  return newest;
}

std::string Describe(uint64_t seed, const RunResult& result) {
  if (!result.violation) {
    return fmt::format("seed {}: {} steps, {} entries, {} acknowledged, trace {:016x}", seed,
                       result.steps, result.committed, result.acknowledged, result.hash);
  }
  return fmt::format("seed {}, step {} at {:.6f} s, {}: {}", seed, result.steps,
                     static_cast<double>(result.length.count()) / 1e9, result.violation->rule,
                     result.violation->what);
}

}  // namespace cairn::simulation

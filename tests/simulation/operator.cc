#include "tests/simulation/operator.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"

namespace cairn::simulation {

namespace {

constexpr uint64_t kNearlyAll = 20;  // entries a learner may be behind when it becomes a voter

std::string AddressOf(ServerId id) {
  return fmt::format("m{}", id);
}

}  // namespace

Operator::Operator(World& world, MachineRoom& room)
    : world_(world),
      room_(room),
      random_(world.plan.seed, kOperatorStream),
      usual_size_(static_cast<size_t>(world.plan.members)) {}

void Operator::Start() {
  next_plan_ = random_.Between(2s, 20s);
  Work();
  if (world_.plan.transfers != Time(0)) TransferLater();
}

void Operator::Work() {
  world_.scheduler.After(random_.Between(50ms, 300ms), [this] { Work(); });
  if (changes_.empty()) return Plan();
  Machine* leader = Leader();
  if (leader != nullptr) leader->Ask([this, leader] { TakeStep(*leader); });
}

Machine* Operator::Leader() {
  std::vector<Machine*> leaders;
  for (ServerId id : room_.Ids()) {
    Machine* machine = room_.Find(id);
    if (machine == nullptr || !machine->running() || machine->paused()) continue;
    if (machine->process()->core().LeadingTerm().value != 0) leaders.push_back(machine);
  }
  return leaders.empty() ? nullptr : leaders[random_.Below(leaders.size())];
}

void Operator::Plan() {
  if (stopped_ || !world_.plan.grows || world_.scheduler.now() < next_plan_) return;
  const Machine* leader = Leader();
  if (leader == nullptr || room_.SomebodyIsImpaired()) return;
  const raft::Membership& now = leader->state().applied().membership;
  Change change;
  // More, fewer, or as many but others.
  const bool is_usual = now.voters.size() <= usual_size_;
  const int more = is_usual ? random_.Between(1, 2) : 0;
  for (int i = 0; i < more; ++i) change.add.insert(room_.AddMachine());
  const size_t gone = !is_usual             ? now.voters.size() - usual_size_
                      : random_.Chance(500) ? change.add.size()
                                            : 0;
  while (change.remove.size() < std::min(gone, now.voters.size())) {
    const int at = random_.Between(0, static_cast<int>(now.voters.size()) - 1);
    change.remove.insert(std::next(now.voters.begin(), at)->first);
  }
  changes_.push_back(std::move(change));
  next_plan_ = world_.scheduler.now() + random_.Between(3s, 20s);
}

void Operator::Replace(ServerId lost, ServerId with) {
  changes_.push_back({{with}, {lost}, random_.Chance(500)});
}

void Operator::TakeStep(Machine& leader) {
  if (changes_.empty()) return;
  raft::Core& core = leader.process()->core();
  if (core.LeadingTerm().value == 0) return;
  const raft::CoreStatus status = core.Describe();
  if (IsDone(leader, status.membership)) return Finish();
  const Change& change = changes_.front();
  raft::Members voters = status.membership.voters;
  raft::Members learners = status.membership.learners;
  const bool removed = std::none_of(change.remove.begin(), change.remove.end(),
                                    [&](ServerId id) { return voters.contains(id); });
  const bool known = std::all_of(change.add.begin(), change.add.end(),
                                 [&](ServerId id) { return status.membership.Contains(id); });
  if (!known && (removed || !change.remove_first)) {
    for (ServerId id : change.add) learners.emplace(id, AddressOf(id));
  } else {
    if (known && !HaveCaughtUp(status)) return;
    for (ServerId id : change.remove) voters.erase(id);
    for (ServerId id : change.add) {
      if (!known) break;
      voters.emplace(id, AddressOf(id));
      learners.erase(id);
    }
  }
  const Result<LogIndex> index =
      core.ProposeMembership(std::move(voters), std::move(learners), leader.local_now());
  if (index) {
    world_.trace.Add(12, leader.id().value, index->value);
    world_.trace.Line([&] { return "operator: " + ToString(core.Describe().membership); });
  }
  leader.process()->Pump();
}

bool Operator::IsDone(const Machine& leader, const raft::Membership& now) const {
  if (!(leader.state().applied().membership == now) || now.IsJoint()) return false;
  const Change& change = changes_.front();
  return std::all_of(change.add.begin(), change.add.end(),
                     [&](ServerId id) { return now.voters.contains(id); }) &&
         std::none_of(change.remove.begin(), change.remove.end(),
                      [&](ServerId id) { return now.Contains(id); });
}

bool Operator::HaveCaughtUp(const raft::CoreStatus& status) const {
  for (const raft::CoreStatus::Peer& peer : status.peers) {
    if (!changes_.front().add.contains(peer.id)) continue;
    if (peer.match.value + kNearlyAll < status.commit.value || peer.needs_snapshot) return false;
  }
  return true;
}

void Operator::Finish() {
  // Those that are out run on for a while, and may not disturb.
  for (ServerId id : changes_.front().remove) {
    world_.scheduler.After(random_.Between(Time(0), 5s), [this, id] { room_.RemoveMachine(id); });
  }
  changes_.pop_front();
}

ServerId Operator::Successor(const Machine& leader) {
  const std::vector<ServerId> ids = room_.Ids();
  if (world_.plan.rocks && ids.size() > 1) return ids[leader.id() == ids[0] ? 1 : 0];
  return random_.Chance(300) ? ServerId(0) : ids[random_.Below(ids.size())];
}

void Operator::TransferLater() {
  world_.scheduler.After(random_.Around(world_.plan.transfers), [this] {
    if (stopped_) return;
    TransferLater();
    Machine* leader = Leader();
    if (leader == nullptr) return;
    const ServerId target = Successor(*leader);
    leader->Ask([this, leader, target] {
      world_.trace.Line([&] { return fmt::format("operator: {} to {}", leader->id(), target); });
      raft::Core& core = leader->process()->core();
      (void)core.TransferLeadership(target, leader->local_now());  // refusals are fine
      leader->process()->Pump();
    });
  });
}

}  // namespace cairn::simulation

#include "tests/simulation/faults.h"

#include <utility>

#include "tests/simulation/harness_bug.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"

namespace cairn::simulation {

Faults::Faults(World& world, Network& network, MachineRoom& room, Operator& administrator)
    : world_(world),
      network_(network),
      room_(room),
      operator_(administrator),
      random_(world.plan.seed, kFaultStream) {}

void Faults::Start() {
  for (size_t kind = 0; kind < kFaultKinds; ++kind) Loop(static_cast<Fault>(kind));
}

void Faults::Loop(Fault fault) {
  const Time mean = world_.plan.faults_between(fault);
  if (mean == Time(0)) return;
  world_.scheduler.After(random_.Around(mean), [this, fault] {
    if (ended_) return;
    Do(fault);
    Loop(fault);
  });
}

void Faults::Do(Fault fault) {
  Machine* victim = Victim();
  switch (fault) {
    case Fault::kPartition:
      return Partition();
    case Fault::kOneWayCut:
      return OneWayCut();
    case Fault::kClusterPowerLoss:
      return LosePowerEverywhere();
    case Fault::kBitFlip:
      return FlipBit();
    case Fault::kLostDirectory:
      return LoseDirectory();
    default:
      break;
  }
  if (victim == nullptr) return;
  const Time now = world_.scheduler.now();
  switch (fault) {
    case Fault::kCrash:
      return Crash(*victim);
    case Fault::kPowerLoss:
      return LosePower(*victim);
    case Fault::kPause:
      return victim->Pause(random_.Chance(100) ? random_.Between(3s, 60s)
                                               : random_.Between(20ms, 3s));
    case Fault::kSlowDisk:
      return victim->SlowDisk(now + random_.Between(200ms, 8s));
    case Fault::kFullDisk:
      return victim->FillDisk(now + random_.Between(100ms, 5s));
    case Fault::kFailedSync:
      return victim->FailNextSync();
    case Fault::kClockChange:
      return victim->ChangeClock(random_);
    default:
      return;
  }
}

Machine* Faults::Victim() {
  std::vector<Machine*> running;
  Machine* leader = nullptr;
  for (ServerId id : room_.Ids()) {
    Machine* machine = room_.Find(id);
    if (machine == nullptr || !machine->running()) continue;
    running.push_back(machine);
    if (machine->process()->core().LeadingTerm().value != 0) leader = machine;
  }
  if (leader != nullptr && random_.Chance(400)) return leader;
  return running.empty() ? nullptr : running[random_.Below(running.size())];
}

void Faults::CutFor(Time duration, const std::vector<std::pair<ServerId, ServerId>>& links) {
  for (const auto& [from, to] : links) network_.Cut(from, to);
  world_.trace.Line([&] {
    std::string text;
    for (const auto& [from, to] : links) text += fmt::format(" {}->{}", from, to);
    return fmt::format("cut for {} ms:{}", duration / 1ms, text);
  });
  world_.scheduler.After(duration, [this, links] {
    for (const auto& [from, to] : links) network_.Heal(from, to);
  });
}

void Faults::Partition() {
  const Machine* victim = Victim();
  if (victim == nullptr) return;
  const bool isolates = random_.Chance(400);
  std::vector<ServerId> side;
  std::vector<ServerId> other;
  for (ServerId id : room_.Ids()) {
    const bool here = isolates ? id == victim->id() : random_.Chance(500);
    (here ? side : other).push_back(id);
  }
  std::vector<std::pair<ServerId, ServerId>> links;
  for (ServerId a : side) {
    for (ServerId b : other) {
      links.emplace_back(a, b);
      links.emplace_back(b, a);
    }
  }
  CutFor(random_.Between(200ms, 8s), links);
}

void Faults::OneWayCut() {
  const Machine* victim = Victim();
  if (victim == nullptr) return;
  const bool deaf = random_.Chance(500);
  std::vector<std::pair<ServerId, ServerId>> links;
  for (ServerId id : room_.Ids()) {
    if (id == victim->id() || random_.Chance(300)) continue;
    links.emplace_back(deaf ? id : victim->id(), deaf ? victim->id() : id);
  }
  CutFor(random_.Between(200ms, 8s), links);
}

void Faults::Crash(Machine& machine) {
  if (random_.Chance(500)) return CrashAtAWrite(machine.id(), 300);
  random_.Chance(300) ? machine.Stop() : machine.Crash();
  StartLater(machine.id(), 8s);
}

void Faults::CrashAtAWrite(ServerId id, int looks) {
  Machine* machine = room_.Find(id);
  if (machine == nullptr || !machine->running() || ended_) return;
  if (looks == 0 || machine->process()->busy_writing()) {
    machine->Crash();
    return StartLater(id, 8s);
  }
  world_.scheduler.After(random_.Between(50us, 500us),
                         [this, id, looks] { CrashAtAWrite(id, looks - 1); });
}

void Faults::StartLater(ServerId id, Time longest) {
  world_.scheduler.After(random_.Between(20ms, longest), [this, id] {
    Machine* machine = room_.Find(id);
    if (machine == nullptr) return;
    machine->Start();
    LosePowerSoonAgain(id);
  });
}

// What a start takes for granted must be on disk before anything new is written there.
void Faults::LosePowerSoonAgain(ServerId id) {
  const bool stable = world_.plan.faults_between(Fault::kPowerLoss) == Time(0);
  if (ended_ || stable || !random_.Chance(200)) return;
  world_.scheduler.After(random_.Between(Time(0), 200ms), [this, id] {
    Machine* machine = room_.Find(id);
    if (machine != nullptr && !ended_) LosePower(*machine);
  });
}

void Faults::LosePower(Machine& machine) {
  // Now, or in the middle of what the disk does next.
  if (random_.Chance(400) && machine.disk().LosePowerAfter(random_.Below(30), random_)) return;
  machine.LosePower();
  StartLater(machine.id(), 8s);
}

void Faults::LosePowerEverywhere() {
  for (ServerId id : room_.Ids()) {
    Machine* machine = room_.Find(id);
    if (machine == nullptr) continue;
    machine->LosePower();
    StartLater(id, 2s);
  }
}

bool Faults::MayLoseACopy() {
  if (operator_.busy() || room_.SomebodyIsImpaired()) return false;
  for (ServerId id : room_.Ids()) {
    const Machine* machine = room_.Find(id);
    // Whoever is behind, or down, may not know how few there are by now.
    if (machine == nullptr || !machine->running()) return false;
    const raft::Membership membership = machine->newest_membership();
    if (membership.IsJoint() || membership.voters.size() < 3) return false;
    // One that believes itself alone refuses a damaged log.
    if (machine->state().applied().membership.voters.size() < 3) return false;
  }
  return true;
}

void Faults::FlipBit() {
  Machine* victim = Victim();
  if (victim == nullptr || !MayLoseACopy() || !victim->disk().FlipBit(random_)) return;
  world_.trace.Add(13, victim->id().value);
  world_.trace.Line([&] { return fmt::format("a bit flips in the log of {}", victim->id()); });
  // It is noticed at a start; soon, or when one comes anyway.
  if (random_.Chance(700)) LosePower(*victim);
}

void Faults::LoseDirectory() {
  Machine* victim = Victim();
  if (victim == nullptr || !MayLoseACopy()) return;
  world_.trace.Add(14, victim->id().value);
  world_.trace.Line([&] { return fmt::format("{} loses its directory", victim->id()); });
  if (HarnessBugIs(HarnessBug::kAmnesiacVoter)) return room_.Forget(victim->id());
  victim->Retire();
  operator_.Replace(victim->id(), room_.AddMachine());
}

void Faults::End() {
  ended_ = true;
  network_.Calm();
  for (ServerId id : room_.Ids()) {
    Machine* machine = room_.Find(id);
    if (machine == nullptr) continue;
    machine->HealDisk();
    machine->Resume();
    machine->Start();
  }
}

}  // namespace cairn::simulation

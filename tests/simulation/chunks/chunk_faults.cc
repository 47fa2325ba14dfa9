#include "tests/simulation/chunks/chunk_faults.h"

#include <algorithm>
#include <utility>

#include "metaserver/placement/group_row.h"

namespace cairn::simulation::chunks {

ChunkFaults::ChunkFaults(ChunkWorld& world, Wires& wires, MapKeeper& keeper,
                         ChunkRules::Machines& machines, ChunkRules& rules, ChunkDamage& damage)
    : world_(world),
      wires_(wires),
      keeper_(keeper),
      machines_(machines),
      rules_(rules),
      damage_(damage),
      random_(world.plan.seed, 0xfa17),
      last_server_(static_cast<uint32_t>(machines.size())) {}

void ChunkFaults::Start() {
  for (size_t kind = 0; kind < kChunkFaultKinds; ++kind) Loop(static_cast<ChunkFault>(kind));
}

void ChunkFaults::End() {
  ended_ = true;
  keeper_.EndDrains();
  for (const auto& machine : machines_) {
    machine->disk().SetFull(false);
    if (machine->disk().failed()) {
      ReplaceLater(*machine);
    } else {
      StartLater(*machine, 1s);
    }
  }
}

void ChunkFaults::Loop(ChunkFault fault) {
  const Time mean = world_.plan.between(fault);
  if (mean == Time(0)) return;
  world_.scheduler.After(random_.Around(mean), [this, fault] {
    if (ended_) return;
    Do(fault);
    Loop(fault);
  });
}

ChunkMachine* ChunkFaults::Victim() {
  std::vector<ChunkMachine*> running;
  for (const auto& machine : machines_) {
    if (machine->running()) running.push_back(machine.get());
  }
  return running.empty() ? nullptr : running[random_.Below(running.size())];
}

void ChunkFaults::Do(ChunkFault fault) {
  world_.trace.Add(4, fault);
  if (fault == ChunkFault::kNewLeader) return keeper_.ChangeLeader();
  if (fault == ChunkFault::kAllPowerLoss) {
    for (const auto& machine : machines_) LosePower(*machine);
    return;
  }
  ChunkMachine* victim = Victim();
  if (victim == nullptr) return;
  switch (fault) {
    case ChunkFault::kKill:
      victim->Kill(random_.Chance(800));
      return StartLater(*victim, 12s);
    case ChunkFault::kQuickRestart:
      victim->Kill(random_.Chance(800));
      return StartLater(*victim, 200ms);
    case ChunkFault::kCleanRestart:
      victim->StopCleanly();
      return StartLater(*victim, 5s);
    case ChunkFault::kPowerLoss:
      return LosePower(*victim);
    case ChunkFault::kPause:
      return victim->Pause(random_.Chance(500) ? random_.Between(Time(2s), Time(12s))
                                               : random_.Between(Time(20ms), Time(2s)));
    case ChunkFault::kCut:
      return Cut(*victim);
    case ChunkFault::kFullDisk:
      return FillDisk(*victim);
    case ChunkFault::kFailedSync:
      return FailSync(*victim);
    case ChunkFault::kBitFlip:
      return DiskIsMissing() ? void() : damage_.Flip(*victim, random_);
    default:
      return;
  }
}

void ChunkFaults::StartLater(ChunkMachine& machine, Time longest) {
  world_.scheduler.After(random_.Between(Time(1ms), longest), [this, &machine] {
    // The directory is locked until the process before has ended.
    if (!machine.Reap()) return StartLater(machine, 100ms);
    machine.Start();
  });
}

void ChunkFaults::LosePower(ChunkMachine& machine) {
  if (DiskIsMissing()) return;
  machine.LosePower(random_);
  rules_.PowerLost();
  StartLater(machine, random_.Chance(500) ? Time(300ms) : Time(10s));
}

void ChunkFaults::Cut(ChunkMachine& machine) {
  const int kind = random_.Between(0, 4);  // 4: from the metaserver alone
  std::vector<std::pair<Node, Node>> links;
  std::vector<Node> others = {kMetaserver};
  for (const auto& other : machines_) {
    if (other.get() != &machine && kind != 4) others.push_back(other->node());
  }
  for (const Node other : others) {
    if ((kind == 2 || kind == 3) && random_.Chance(400)) continue;
    if (kind != 0) links.emplace_back(machine.node(), other);
    if (kind != 1) links.emplace_back(other, machine.node());
  }
  for (const auto& [from, to] : links) wires_.Cut(from, to);
  world_.trace.Line([&] { return fmt::format("server {} is cut off", machine.server()); });
  world_.scheduler.After(random_.Between(Time(200ms), Time(9s)), [this, links] {
    for (const auto& [from, to] : links) wires_.Heal(from, to);
  });
}

void ChunkFaults::FillDisk(ChunkMachine& machine) {
  machine.disk().SetFull(true);
  world_.trace.Line([&] { return fmt::format("server {} has a full disk", machine.server()); });
  world_.scheduler.After(random_.Between(Time(500ms), Time(8s)),
                         [&machine] { machine.disk().SetFull(false); });
}

bool ChunkFaults::IsSpare(const ChunkMachine& machine) const {
  for (const auto& [id, group] : keeper_.groups()) {
    if (FindMember(group, machine.server()) == nullptr) continue;
    // A new primary may need what it has before its epoch counts.
    if (!IsActivated(group)) return false;
    const bool other_is_up =
        std::any_of(machines_.begin(), machines_.end(), [&, row = &group](const auto& other) {
          if (other.get() == &machine || !other->running() || other->disk().failed()) return false;
          const v1::Member* member = FindMember(*row, other->server());
          return member != nullptr && member->state() == v1::MEMBER_ACTIVE &&
                 member->incarnation() == other->process()->facts().incarnation;
        });
    if (!other_is_up) return false;
  }
  return true;
}

bool ChunkFaults::DiskIsMissing() const {
  return std::any_of(machines_.begin(), machines_.end(), [](const auto& machine) {
    return machine->disk().failed() || machine->disk().about_to_fail();
  });
}

void ChunkFaults::FailSync(ChunkMachine& machine) {
  if (DiskIsMissing()) return;
  machine.disk().FailSync(
      [this, &machine] { return !ended_ && IsSpare(machine) && damage_.AllMended(); });
  world_.trace.Line(
      [&] { return fmt::format("server {}: the next sync fails", machine.server()); });
  ReplaceLater(machine);
}

void ChunkFaults::ReplaceLater(ChunkMachine& machine) {
  world_.scheduler.After(1s, [this, &machine] {
    if (!machine.disk().failed()) {
      if (!ended_) ReplaceLater(machine);
      return;
    }
    // It is nobody's source any more before it goes.
    if (keeper_.IsActiveAnywhere(machine.server()) || !machine.Reap()) return ReplaceLater(machine);
    const ServerId old = machine.server();
    machine.ReplaceDisk(ServerId(++last_server_));
    keeper_.AddServer(machine.Record());
    keeper_.Replace(old, machine.server());
    StartLater(machine, 1s);
  });
}

}  // namespace cairn::simulation::chunks

#include "tests/simulation/chunks/chunk_machine.h"

#include <utility>

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
int DrawDrift(const ChunkPlan& plan, Node node) {
  return plan.drift ? Random(plan.seed, 0xc10c + node).Between(-40, 40) : 0;
}
}  // namespace

ChunkMachine::ChunkMachine(ChunkWorld& world, Wires& wires, Node node, ServerId server,
                           ChunkProcess::Written written, ChunkProcess::Answered answered)
    : world_(world),
      wires_(wires),
      node_(node),
      server_(server),
      written_(std::move(written)),
      answered_(std::move(answered)),
      clock_offset_(std::chrono::seconds(100 * node)),
      clock_drift_(DrawDrift(world.plan, node)),
      disk_(std::make_unique<ChunkDisk>(fmt::format("disk-{}", server))) {}

v1::ServerRecord ChunkMachine::Record() const {
  v1::ServerRecord record;
  record.set_id(server_.value);
  record.set_disk_uuid(disk_->uuid());
  record.set_boot_id(fmt::format("boot-{}-{}", node_, boots_));
  record.set_incarnation(disk_->incarnation + 1);
  record.mutable_frames()->set_host("simulated");
  record.mutable_frames()->set_port(node_);
  return record;
}

void ChunkMachine::Start() {
  if (process_ != nullptr || disk_->failed()) return;
  ProcessFacts facts;
  facts.node = node_;
  facts.server = server_;
  facts.boot_id = Record().boot_id();
  facts.clock_offset = clock_offset_;
  facts.clock_drift = clock_drift_;
  // A bug: it comes back as if it had not been away.
  const bool unnoticed = ChunkBugIs(ChunkBug::kRestartUnnoticed) && disk_->incarnation > 0;
  facts.incarnation = unnoticed ? disk_->incarnation : ++disk_->incarnation;
  world_.trace.Add(3, node_, facts.incarnation);
  world_.trace.Line([&] { return fmt::format("server {} starts", server_); });
  process_ = std::make_unique<ChunkProcess>(world_, wires_, *disk_, facts, written_, answered_);
  process_->Start();
}

void ChunkMachine::Kill(bool breaks) {
  if (process_ == nullptr) return;
  world_.trace.Line([&] { return fmt::format("server {} is killed", server_); });
  process_->Kill(breaks);
  ending_.push_back(std::move(process_));
}

void ChunkMachine::StopCleanly() {
  if (!running()) return;
  world_.trace.Line([&] { return fmt::format("server {} stops", server_); });
  process_->StopCleanly();
  ending_.push_back(std::move(process_));
}

void ChunkMachine::LosePower(Random& random) {
  world_.trace.Line([&] { return fmt::format("machine of server {} loses power", server_); });
  Kill(false);
  for (const auto& process : ending_) process->Kill(false);
  disk_->LosePower(random);
  ++boots_;
}

void ChunkMachine::Pause(Time duration) {
  if (!running()) return;
  world_.trace.Line(
      [&] { return fmt::format("server {} is paused for {} ms", server_, duration / 1ms); });
  process_->Pause();
  world_.scheduler.After(duration, [this, paused = process_.get()] {
    if (process_.get() == paused) paused->Resume();
  });
}

void ChunkMachine::ReplaceDisk(ServerId server) {
  Kill(true);
  old_disks_.push_back(std::move(disk_));
  disk_ = std::make_unique<ChunkDisk>(fmt::format("disk-{}", server));
  server_ = server;
}

bool ChunkMachine::Reap() {
  std::erase_if(ending_, [](const auto& process) { return process->gone(); });
  return ending_.empty();
}

}  // namespace cairn::simulation::chunks

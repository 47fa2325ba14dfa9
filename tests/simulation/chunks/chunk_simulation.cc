#include "tests/simulation/chunks/chunk_simulation.h"

#include <algorithm>

namespace cairn::simulation::chunks {
namespace {
constexpr uint64_t kMostStepsAtOnce = 200'000;
constexpr Time kCalmDown = 90s;
constexpr Time kLongestPause = 13s;
}  // namespace

ChunkSimulation::ChunkSimulation(const ChunkPlan& plan, bool printing)
    : world_(plan, printing),
      wires_(world_),
      truth_(world_),
      keeper_(world_, wires_),
      rules_(world_, truth_, keeper_, machines_),
      damage_(world_, truth_, keeper_, machines_),
      reaper_(world_, wires_, truth_, keeper_),
      session_faults_(world_, truth_, keeper_, clients_) {
  world_.trace.Line([&] { return ToString(plan); });
  Found();
}

ChunkSimulation::~ChunkSimulation() = default;

void ChunkSimulation::Found() {
  const ChunkPlan& plan = world_.plan;
  const auto written = [this](ServerId server, const ChunkWrite& write) {
    rules_.Written(server, write);
  };
  const auto answered = [this](v1::Method method, const ServerCall& call) {
    v1::WriteChunkRequest request;
    if (method != v1::CHUNK_WRITE) return;
    CAIRN_CHECK(request.ParseFromArray(call.body().data(), static_cast<int>(call.body().size())));
    rules_.Acknowledged(request);
  };
  for (int i = 1; i <= plan.servers; ++i) {
    const auto number = static_cast<uint32_t>(i);
    machines_.push_back(std::make_unique<ChunkMachine>(world_, wires_, number, ServerId(number),
                                                       written, answered));
    keeper_.AddServer(machines_.back()->Record());
  }
  for (int i = 1; i <= plan.groups; ++i) {
    v1::PlacementGroup group;
    group.set_id(static_cast<uint32_t>(i));
    group.set_pool(1);
    group.set_epoch(1);
    for (int copy = 0; copy < plan.copies; ++copy) {
      const auto at = static_cast<size_t>((i + copy) % plan.servers);
      v1::Member& member = *group.add_members();
      member.set_server(machines_[at]->server().value);
      member.set_state(v1::MEMBER_ACTIVE);
      member.set_incarnation(machines_[at]->Record().incarnation());
      member.set_boot_id(machines_[at]->Record().boot_id());
    }
    keeper_.AddGroup(group);
  }
  keeper_.OnActivated([this](PgId group) { rules_.Activated(group); });
  for (int i = 0; i < plan.files; ++i) truth_.MakeFile();
  for (int i = 0; i < plan.clients; ++i) {
    clients_.push_back(std::make_unique<ChunkClient>(world_, wires_, truth_, keeper_, damage_, i));
  }
  faults_ = std::make_unique<ChunkFaults>(world_, wires_, keeper_, machines_, rules_, damage_);
}

bool ChunkSimulation::RunUntil(Time end) {
  while (!world_.violations.first()) {
    if (world_.fibers.steps_at_once() > kMostStepsAtOnce) {
      world_.violations.Add("progress", "it goes round without end");
      return false;
    }
    if (!world_.fibers.RunOne(end)) return true;
  }
  return false;
}

bool ChunkSimulation::RunUntilTrue(const std::function<bool()>& condition, Time longest,
                                   const char* what) {
  const Time end = world_.now() + longest;
  while (!condition()) {
    if (!RunUntil(std::min(end, world_.now() + 50ms))) return false;
    if (world_.now() < end || condition()) continue;
    std::string text = fmt::format("after {} s without faults: {};", longest / 1s, what);
    for (const auto& [id, group] : keeper_.groups()) text += " " + ToString(group);
    world_.violations.Add("progress", std::move(text));
    return false;
  }
  return true;
}

void ChunkSimulation::Settle() {
  faults_->End();
  session_faults_.End();
  wires_.Calm();
  for (const auto& client : clients_) client->Finish();
  const auto all_done = [this] {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->done(); });
  };
  if (!RunUntilTrue(all_done, kCalmDown, "a client still waits")) return;
  const auto whole = [this] { return rules_.IsWhole(); };
  if (!RunUntilTrue(whole, kCalmDown, "a group lacks a member")) return;
  const auto cleared = [this] {
    return std::all_of(truth_.files().begin(), truth_.files().end(), [](const auto& entry) {
      const SimulatedFile& file = entry.second;
      return file.removed ? file.reaped : file.trimmed == file.generation;
    });
  };
  if (!RunUntilTrue(cleared, kCalmDown, "chunks are not removed")) return;
  keeper_.OrderScrub();
  const auto mended = [this] { return damage_.AllMended(); };
  if (!RunUntilTrue(mended, kCalmDown, "a bad block is not mended")) return;
  if (world_.plan.seed % 6 == 3 && !LoseChunks()) return;
  clients_.front()->ReadEverything([] {});
  if (!RunUntilTrue(all_done, kCalmDown, "the last reads are not answered")) return;
  // Writes that were given up may still be on their way to members.
  if (RunUntil(world_.now() + 5s)) rules_.CheckAtTheEnd();
}

// Only while nobody can leave: where seeds are even, copies move (MapKeeper::Move), and a server
// that was stopped before the calm may be taken out before it goes on.
bool ChunkSimulation::LoseChunks() {
  if (!RunUntil(world_.now() + kLongestPause)) return false;
  if (!RunUntilTrue([this] { return rules_.IsWhole(); }, kCalmDown, "a member left")) return false;
  damage_.LoseChunks();
  return true;
}

void ChunkSimulation::TakeDown() {
  faults_->End();
  session_faults_.End();
  reaper_.Stop();
  for (const auto& client : clients_) client->Finish();
  wires_.Calm();
  for (const auto& machine : machines_) machine->Kill(true);
  const auto over = [this] {
    bool all = reaper_.stopped();
    for (const auto& client : clients_) all = all && client->done();
    for (const auto& machine : machines_) {
      machine->Kill(true);
      all = machine->Reap() && all;
    }
    return all;
  };
  const Time end = world_.now() + 600s;
  while (!over() || world_.fibers.alive() > 0) {
    world_.fibers.RunOne(world_.now() + 100ms);
    CAIRN_CHECK(world_.now() < end);                                      // a thread waits for ever
    CAIRN_CHECK(world_.fibers.steps_at_once() <= 10 * kMostStepsAtOnce);  // or never waits
  }
}

ChunkRunResult ChunkSimulation::Run() {
  keeper_.Start();
  for (const auto& machine : machines_) machine->Start();
  for (const auto& client : clients_) client->Start();
  reaper_.Start();
  faults_->Start();
  damage_.Start();
  session_faults_.Start();
  if (RunUntil(world_.plan.length)) Settle();
  ChunkRunResult result;
  result.hash = world_.trace.hash();
  result.steps = world_.scheduler.steps();
  result.length = world_.now();
  result.writes = truth_.writes();
  result.reads = truth_.reads();
  result.flips = damage_.flips();
  for (const auto& [id, group] : keeper_.groups()) result.epochs += group.epoch();
  result.violation = world_.violations.first();
  TakeDown();
  return result;
}

std::string Describe(uint64_t seed, const ChunkRunResult& result) {
  const double seconds = static_cast<double>(result.length.count()) / 1e9;
  std::string text =
      fmt::format("seed {}, step {} at {:.3f} s, {} writes, {} reads, {} epochs", seed,
                  result.steps, seconds, result.writes, result.reads, result.epochs);
  if (!result.violation) return text + ", nothing found";
  return text + fmt::format(", {}: {}", result.violation->rule, result.violation->what);
}

}  // namespace cairn::simulation::chunks

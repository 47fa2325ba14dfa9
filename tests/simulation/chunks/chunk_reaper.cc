#include "tests/simulation/chunks/chunk_reaper.h"

#include <utility>
#include <vector>

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {
namespace {
constexpr Node kReaper = 1000;
constexpr Time kFrameWait = 5s;
}  // namespace

ChunkReaper::ChunkReaper(ChunkWorld& world, Wires& wires, FileTruth& truth, MapKeeper& keeper)
    : world_(world),
      wires_(wires),
      truth_(truth),
      keeper_(keeper),
      random_(world.plan.seed, 0x4ea9),
      domain_(Time(3s), 0),
      port_(std::make_shared<Port>(world, domain_, kReaper)) {}

void ChunkReaper::Start() {
  world_.fibers.Start(domain_, [this] { Run(); });
}

void ChunkReaper::Run() {
  while (!stopping_) {
    world_.fibers.Sleep(random_.Around(Time(500ms)));
    std::vector<InodeId> inodes;
    for (const auto& [inode, file] : truth_.files()) inodes.push_back(inode);
    for (const InodeId inode : inodes) {
      SimulatedFile& file = truth_.file(inode);
      if (file.removed) {
        if (!file.reaped && Clear(file, true)) file.reaped = true;
        continue;
      }
      const uint64_t generation = file.generation;
      if (file.trimmed == generation || !Clear(file, false)) continue;
      file.trimmed = generation;
      std::erase_if(file.cuts, [&](const v1::Cut& cut) { return cut.generation() <= generation; });
    }
  }
  stopped_ = true;
}

bool ChunkReaper::Clear(const SimulatedFile& file, bool whole) {
  for (uint32_t index = 0; index < static_cast<uint32_t>(world_.plan.chunks); ++index) {
    if (!ClearChunk(truth_.AddressOf({file.inode, index}), whole)) return false;
  }
  return true;
}

bool ChunkReaper::ClearChunk(v1::ChunkAddress chunk, bool whole) {
  const PgId group(chunk.group());
  if (!keeper_.IsQuiet(group)) return false;
  // Whoever was shut out may still write to what would be removed (rule C11). Asked after the group
  // was seen to be quiet: a silent server that is heard again may have something under way.
  if (!keeper_.sessions().AllPassed() && !ChunkBugIs(ChunkBug::kReaperWaitsForNobody)) return false;
  const v1::PlacementGroup before = keeper_.group(group);
  chunk.set_epoch(before.epoch());
  if (ChunkBugIs(ChunkBug::kRemovalOfAnyAge)) {
    chunk.set_generation(chunk.generation() + 1);
    for (v1::Cut& cut : *chunk.mutable_cuts()) cut.set_generation(chunk.generation());
  }
  v1::RemoveChunksRequest request;
  *request.add_chunks() = chunk;
  request.set_whole(whole);
  world_.trace.Line([&] {
    return fmt::format("chunk {}/{} is {} at generation {}", chunk.inode(), chunk.index(),
                       whole ? "removed" : "trimmed", chunk.generation());
  });
  bool forgotten = !ChunkBugIs(ChunkBug::kRemovalForgotten);
  for (const v1::Member& member : before.members()) {
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    if (!std::exchange(forgotten, true)) continue;
    const auto reply =
        wires_.CallAndWait(port_, keeper_.NodeOf(ServerId(member.server())), v1::CHUNK_REMOVE,
                           request, {}, Deadline::After(kFrameWait));
    if (!reply.has_value()) return false;
  }
  return keeper_.group(group).epoch() == before.epoch() && keeper_.IsQuiet(group);
}

}  // namespace cairn::simulation::chunks

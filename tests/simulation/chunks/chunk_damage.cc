#include "tests/simulation/chunks/chunk_damage.h"

#include <algorithm>
#include <array>

#include "common/crc32c.h"

namespace cairn::simulation::chunks {
namespace {

constexpr Time kDamageLook = 250ms;

std::optional<ChunkBlocks> BlocksOf(ChunkMachine& machine, ChunkId id) {
  if (!machine.running() || machine.disk().failed()) return std::nullopt;
  auto blocks = machine.process()->store().Blocks(id);
  return blocks.has_value() ? *std::move(blocks) : std::nullopt;
}

bool Has(const std::optional<ChunkBlocks>& blocks, uint32_t block) {
  return blocks.has_value() && block < blocks->present.size() && blocks->present[block];
}

}  // namespace

void ChunkDamage::Start() {
  world_.scheduler.After(kDamageLook, [this] { Look(); });
}

// Looks past the store, so that nothing is found by being looked for.
bool ChunkDamage::IsGood(ChunkMachine& machine, ChunkId id, uint32_t block) const {
  const auto blocks = BlocksOf(machine, id);
  if (!Has(blocks, block)) return false;
  std::array<std::byte, kBlockSize> bytes{};
  return machine.disk().Peek(ChunkDisk::PathOf(id), uint64_t{block} * kBlockSize, bytes) &&
         Crc32c(bytes) == blocks->crcs[block];
}

bool ChunkDamage::HasGoodCopy(const ChunkMachine& machine, ChunkId id, uint32_t block) const {
  const v1::PlacementGroup& group = keeper_.group(truth_.GroupOf(id));
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& other) {
    const v1::Member* member = FindMember(group, other->server());
    if (other.get() == &machine || member == nullptr || member->state() != v1::MEMBER_ACTIVE) {
      return false;
    }
    const auto blocks = BlocksOf(*other, id);
    return blocks.has_value() && blocks->info.sealed && IsGood(*other, id, block);
  });
}

bool ChunkDamage::MayFlip(ChunkMachine& machine, ChunkId id, uint32_t block) const {
  const bool is_whole = std::none_of(open_.begin(), open_.end(), [&](const Bad& bad) {
    return bad.chunk == id && bad.block == block;
  });
  return is_whole && IsGood(machine, id, block) && HasGoodCopy(machine, id, block);
}

void ChunkDamage::Flip(ChunkMachine& machine, Random& random) {
  std::vector<std::pair<ChunkId, uint32_t>> places;
  for (const InodeId inode : truth_.Live()) {
    for (uint32_t index = 0; index < static_cast<uint32_t>(world_.plan.chunks); ++index) {
      const ChunkId id{inode, index};
      const auto blocks = BlocksOf(machine, id);
      if (!blocks.has_value() || !blocks->info.sealed) continue;
      for (const uint32_t block : kBlocksInUse) {
        if (MayFlip(machine, id, block)) places.emplace_back(id, block);
      }
    }
  }
  if (places.empty()) return;
  const auto [id, block] = places[random.Below(places.size())];
  const uint64_t offset = uint64_t{block} * kBlockSize + random.Below(kBlockSize);
  if (!machine.disk().FlipBit(ChunkDisk::PathOf(id), offset)) return;
  ++flips_;
  truth_.NoteFlip(id, block);
  ++flips_on_[machine.disk().uuid()];
  open_.push_back({machine.disk().uuid(), id, block});
  world_.trace.Add(8, machine.node(), id.inode.value, block);
  world_.trace.Line([&, flipped = id, at = block] {
    return fmt::format("server {}: a bit flips in chunk {} block {}", machine.server(), flipped,
                       at);
  });
}

void ChunkDamage::LoseChunks() {
  for (const InodeId inode : truth_.Live()) {
    const SimulatedFile& file = truth_.file(inode);
    for (const uint32_t index : file.runs) {
      const ChunkId id{inode, index};
      const v1::Member* primary = PrimaryOf(keeper_.group(truth_.GroupOf(id)));
      for (const auto& machine : machines_) {
        if (primary == nullptr || machine->server().value != primary->server()) continue;
        if (!BlocksOf(*machine, id).has_value()) continue;
        CAIRN_CHECK(machine->process()->store().Drop(id).ok());
      }
    }
  }
}

// Mended, written over, cut off, or gone with its chunk or its disk.
bool ChunkDamage::IsMended(const Bad& bad) const {
  for (const auto& machine : machines_) {
    if (machine->disk().uuid() != bad.disk) continue;
    if (!machine->running()) return machine->disk().failed();
    return !Has(BlocksOf(*machine, bad.chunk), bad.block) || IsGood(*machine, bad.chunk, bad.block);
  }
  return true;
}

bool ChunkDamage::MayBeUnreadable(ChunkId id, Time from) const {
  const bool is_bad =
      std::any_of(open_.begin(), open_.end(), [&](const Bad& bad) { return bad.chunk == id; });
  const auto mended = mended_.find(id);
  const auto lacked = lacked_.find(truth_.GroupOf(id));
  return (is_bad || (mended != mended_.end() && mended->second >= from)) &&
         lacked != lacked_.end() && lacked->second + 2 * kDamageLook >= from;
}

void ChunkDamage::Look() {
  world_.scheduler.After(kDamageLook, [this] { Look(); });
  for (const auto& [id, group] : keeper_.groups()) {
    for (const v1::Member& member : group.members()) {
      if (member.state() != v1::MEMBER_ACTIVE || !keeper_.IsQuiet(id)) lacked_[id] = world_.now();
    }
  }
  std::erase_if(open_, [this](const Bad& bad) {
    if (!IsMended(bad)) return false;
    mended_[bad.chunk] = world_.now();
    return true;
  });
  for (const auto& machine : machines_) {
    if (machine->running()) CheckReports(*machine);
  }
}

// One process finds each of the bits once.
void ChunkDamage::CheckReports(ChunkMachine& machine) {
  const auto found = flips_on_.find(machine.disk().uuid());
  const uint64_t flips = found == flips_on_.end() ? 0 : found->second;
  const uint64_t reported = machine.process()->store().Counters().checksum_errors;
  if (reported > flips) {
    world_.violations.Add("C12",
                          fmt::format("server {} reports {} bad blocks, {} bits flipped there",
                                      machine.server(), reported, flips));
  }
  const uint64_t scrubbed = machine.process()->scrub().found_blocks();
  if (scrubbed > 0 && flips == 0) {
    world_.violations.Add("C12", fmt::format("the scrub of server {} finds {} bad blocks, no bit "
                                             "flipped there",
                                             machine.server(), scrubbed));
  }
}

}  // namespace cairn::simulation::chunks

#include "tests/simulation/chunks/chunk_rules.h"

#include <algorithm>

namespace cairn::simulation::chunks {

ChunkMachine* ChunkRules::Find(ServerId server) const {
  for (const auto& machine : machines_) {
    if (machine->server() == server) return machine.get();
  }
  return nullptr;
}

ChunkStore* ChunkRules::StoreOf(const v1::Member& member) const {
  const ChunkMachine* machine = Find(ServerId(member.server()));
  if (member.state() != v1::MEMBER_ACTIVE || machine == nullptr || !machine->running()) {
    return nullptr;
  }
  const bool same = machine->process()->facts().incarnation == member.incarnation();
  return same ? &machine->process()->store() : nullptr;
}

void ChunkRules::Written(ServerId server, const ChunkWrite& write) {
  world_.trace.Add(5, server.value, write.version.epoch.value, write.version.counter);
  world_.trace.Line([&] {
    return fmt::format("server {} has write {}.{} of session {} to chunk {} at {} + {}", server,
                       write.version.epoch, write.version.counter, write.session, write.id,
                       write.offset, write.data.size());
  });
  CheckPassed(server, write);
  // A retry may have run the write again: any of its runs will do.
  versions_.try_emplace({write.session.value, write.sequence}, write.version);
}

// Where a group has all of its members, and counts on them, nothing of a session whose fence has
// passed is done any more. What a member does that is on its way out counts for nobody.
void ChunkRules::CheckPassed(ServerId server, const ChunkWrite& write) {
  if (!keeper_.sessions().IsPast(write.session)) return;
  const v1::PlacementGroup& group = keeper_.group(write.group);
  const v1::Member* member = FindMember(group, server);
  if (member == nullptr || member->state() != v1::MEMBER_ACTIVE || !keeper_.IsQuiet(write.group) ||
      group.epoch() != write.version.epoch.value) {
    return;
  }
  world_.violations.Add(
      "L1",
      fmt::format("server {} carries out write {}.{} to chunk {} of session "
                  "{}, whose fence has passed",
                  server, write.version.epoch, write.version.counter, write.id, write.session));
}

void ChunkRules::Acknowledged(const v1::WriteChunkRequest& request) {
  const v1::ChunkAddress& chunk = request.chunk();
  const ChunkId id{InodeId(chunk.inode()), chunk.index()};
  const ChunkVersion version = versions_[{chunk.session(), request.sequence()}];
  if (version == ChunkVersion{}) {
    return world_.violations.Add("C7", fmt::format("a write to {} nobody carried out", id));
  }
  ChunkVersion& latest = acknowledged_[id];
  latest = std::max(latest, version);
  // A cut may have left nothing of it, not even the chunk. Who waits for a write holds the file: if
  // that is gone, this answer is for nobody, or for one who was shut out.
  const SimulatedFile& file = truth_.file(id.inode);
  if (file.removed || file.generation > chunk.generation()) return;
  for (const v1::Member& member : keeper_.group(PgId(chunk.group())).members()) {
    ChunkStore* store = StoreOf(member);
    if (store == nullptr) continue;
    const auto info = store->Info(id);
    if (!info.has_value()) continue;  // its disk has failed
    if (info->has_value() && (*info)->version >= version) continue;
    world_.violations.Add(
        "C7", fmt::format("write {}.{} to chunk {} is acknowledged, but server {} has {}",
                          version.epoch, version.counter, id, member.server(),
                          info->has_value() ? fmt::format("{}.{}", (*info)->version.epoch,
                                                          (*info)->version.counter)
                                            : std::string("no chunk")));
  }
}

void ChunkRules::PowerLost() {
  for (const auto& [id, group] : keeper_.groups()) Activated(id);
}

void ChunkRules::Activated(PgId id) {
  const auto& counting = keeper_.group(id).activated();
  const bool any_kept = std::any_of(counting.begin(), counting.end(), [this](const auto& member) {
    const ChunkMachine* machine = Find(ServerId(member.server()));
    return machine != nullptr && machine->Record().boot_id() == member.boot_id();
  });
  if (counting.empty() || any_kept) return;
  world_.trace.Line([&] { return fmt::format("group {} may lose", id); });
  truth_.Lose(id);
  std::erase_if(acknowledged_,
                [&](const auto& entry) { return truth_.GroupOf(entry.first) == id; });
}

bool ChunkRules::IsWhole() const {
  for (const auto& [id, group] : keeper_.groups()) {
    for (const v1::Member& member : group.members()) {
      if (StoreOf(member) == nullptr) return false;
    }
  }
  return true;
}

void ChunkRules::CheckAtTheEnd() {
  for (const auto& [id, group] : keeper_.groups()) CheckEqual(id);
}

void ChunkRules::CheckVersions(PgId group, ChunkStore& store) {
  for (const auto& [id, version] : acknowledged_) {
    const SimulatedFile& file = truth_.file(id.inode);
    if (truth_.GroupOf(id) != group || file.removed || file.generation > 1) continue;
    const auto info = store.Info(id);
    if (info.has_value() && info->has_value() && (*info)->version >= version) continue;
    world_.violations.Add("C6", fmt::format("chunk {} was acknowledged at version {}.{}, it is "
                                            "older or gone",
                                            id, version.epoch, version.counter));
  }
}

// A chunk that a read has cut to nothing stays until it is trimmed: to readers it is absent.
std::vector<ChunkInfo> ChunkRules::FilledChunks(PgId group, ChunkStore& store) const {
  auto list = store.List(group, std::nullopt, 10000);
  CAIRN_CHECK(list.has_value());
  std::erase_if(*list, [&](const ChunkInfo& info) {
    const auto blocks = store.Blocks(info.id);
    CAIRN_CHECK(blocks.has_value() && blocks->has_value());
    const std::vector<bool>& present = (*blocks)->present;
    return std::find(present.begin(), present.end(), true) == present.end();
  });
  return *std::move(list);
}

void ChunkRules::CheckEqual(PgId group) {
  ChunkStore* first = nullptr;
  std::vector<ChunkInfo> chunks;
  for (const v1::Member& member : keeper_.group(group).members()) {
    ChunkStore* store = StoreOf(member);
    if (store == nullptr) continue;  // copies move: it has just joined, or leaves
    const std::vector<ChunkInfo> list = FilledChunks(group, *store);
    if (first == nullptr) {
      first = store;
      chunks = list;
      CheckVersions(group, *store);
      for (const ChunkInfo& info : chunks) {
        const SimulatedFile& file = truth_.file(info.id.inode);
        if (!file.reaped) continue;
        world_.violations.Add("C9", fmt::format("chunk {} was removed and is there", info.id));
      }
      continue;
    }
    bool same = list.size() == chunks.size();
    for (size_t i = 0; same && i < chunks.size(); ++i) same = list[i].id == chunks[i].id;
    if (!same) {
      world_.violations.Add("C6", fmt::format("group {}: server {} has {} chunks, the primary {}",
                                              group, member.server(), list.size(), chunks.size()));
      continue;
    }
    for (const ChunkInfo& info : chunks) {
      const auto ours = first->Blocks(info.id);
      const auto theirs = store->Blocks(info.id);
      CAIRN_CHECK(ours.has_value() && ours->has_value());
      CAIRN_CHECK(theirs.has_value() && theirs->has_value());
      CheckSame(info.id, ServerId(member.server()), **ours, **theirs);
    }
  }
}

void ChunkRules::CheckSame(ChunkId id, ServerId other, const ChunkBlocks& ours,
                           const ChunkBlocks& theirs) {
  const size_t blocks = std::max(ours.crcs.size(), theirs.crcs.size());
  for (size_t block = 0; block < blocks; ++block) {
    const bool here = block < ours.crcs.size() && ours.present[block];
    const bool there = block < theirs.crcs.size() && theirs.present[block];
    if (here == there && (!here || ours.crcs[block] == theirs.crcs[block])) continue;
    world_.violations.Add(
        "C6", fmt::format("chunk {} block {} differs between the primary ({}.{}) "
                          "and server {} ({}.{})",
                          id, block, ours.info.version.epoch, ours.info.version.counter, other,
                          theirs.info.version.epoch, theirs.info.version.counter));
    return;
  }
  // Cuts wait for the next access: stamps may differ, versions not.
  if (ours.info.version == theirs.info.version) return;
  world_.violations.Add("C6", fmt::format("chunk {} has another version on server {}", id, other));
}

}  // namespace cairn::simulation::chunks

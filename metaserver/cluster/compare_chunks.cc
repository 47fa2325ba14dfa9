#include "metaserver/cluster/compare_chunks.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "metaserver/placement/locate.h"

namespace cairn {
namespace {

using Kind = ChunkSuspicion::Kind;

class Comparing {
 public:
  Comparing(const ChunkRange& range, const ServerListings& listings, const MapSnapshot& map,
            const ServerViews& views)
      : range_(range), listings_(listings), map_(map), views_(views) {
    for (const auto& [id, group] : map.groups) FindJudged(id, group);
  }

  void LookAtStored(ServerId server, const ListedChunk& chunk,
                    const std::map<InodeId, FileChunks>& files);
  void LookForMissing(InodeId inode, const FileChunks& file);
  ChunkComparison Take() { return std::move(found_); }

 private:
  void FindJudged(PgId id, const v1::PlacementGroup& group);
  void LookAtStray(ServerId server, const ListedChunk& chunk);
  bool MeetsJudged(GroupRange groups) const;
  bool LookForChunk(ChunkId id, PgId group, uint64_t generation);
  bool IsStored(ServerId server, ChunkId id) const;
  GroupRange GroupsOfFile(const FileChunks& file) const;
  // False: enough of this file.
  bool Add(const ChunkSuspicion& suspicion, uint64_t bytes);

  const ChunkRange& range_;
  const ServerListings& listings_;
  const MapSnapshot& map_;
  const ServerViews& views_;
  // Of each group, the members that must have every chunk that was written, and answered.
  // Of a lost one there are none: it counts as judged.
  std::map<PgId, std::vector<ServerId>> judged_;
  std::map<std::pair<InodeId, Kind>, size_t> counts_;
  ChunkComparison found_;
};

// Whoever is active has everything (rule C4), once the copies were made equal (rule C6).
void Comparing::FindJudged(PgId id, const v1::PlacementGroup& group) {
  if (group.lost()) judged_[id];
  if (!IsActivated(group) || group.lost()) return;
  for (const v1::Member& member : group.members()) {
    const ServerId server(member.server());
    if (member.state() != v1::MEMBER_ACTIVE || !listings_.contains(server)) continue;
    if (IsUnrestarted(member, views_(server))) judged_[id].push_back(server);
  }
}

GroupRange Comparing::GroupsOfFile(const FileChunks& file) const {
  const v1::Pool* pool = map_.FindPool(PoolId(file.layout.pool()));
  return pool == nullptr ? GroupRange() : GroupsOf(*pool, file.layout.generation());
}

bool Comparing::Add(const ChunkSuspicion& suspicion, uint64_t bytes) {
  size_t& count = counts_[{suspicion.id.inode, suspicion.kind}];
  if (count == kMostSuspicionsPerFile) {
    found_.cut_short.insert(suspicion.id.inode);
    return false;
  }
  ++count;
  found_.suspicions.emplace(suspicion, bytes);
  return true;
}

// A chunk of no file. On a member that is not active the catch-up deletes what the active ones do
// not have, and from a server that is no member all of the group goes.
void Comparing::LookAtStray(ServerId server, const ListedChunk& chunk) {
  const v1::PlacementGroup* group = map_.FindGroup(chunk.group);
  const v1::Member* member = group == nullptr ? nullptr : FindMember(*group, server);
  const bool counts = member != nullptr && member->state() == v1::MEMBER_ACTIVE &&
                      IsUnrestarted(*member, views_(server));
  if (group == nullptr || counts) {
    Add({Kind::kOrphan, chunk.id, server, chunk.group, 0, {}}, chunk.bytes);
  } else if (member == nullptr) {
    Add({Kind::kSurplus, chunk.id, server, chunk.group, 0, {}}, chunk.bytes);
  }
}

void Comparing::LookAtStored(ServerId server, const ListedChunk& chunk,
                             const std::map<InodeId, FileChunks>& files) {
  if (!range_.Holds(chunk.id)) return;
  const auto file = files.find(chunk.id.inode);
  if (file == files.end()) return LookAtStray(server, chunk);
  const GroupRange groups = GroupsOfFile(file->second);
  const uint64_t seed = file->second.layout.seed();
  const bool placed = file->second.regular && groups.count > 0 &&
                      LocateChunk(groups, seed, chunk.id.index) == chunk.group;
  const v1::PlacementGroup* group = map_.FindGroup(chunk.group);
  if (placed && group != nullptr && FindMember(*group, server) != nullptr) return;
  Add({Kind::kSurplus, chunk.id, server, chunk.group, 0, {}}, chunk.bytes);
}

bool Comparing::IsStored(ServerId server, ChunkId id) const {
  const std::vector<ListedChunk>& chunks = listings_.at(server);
  const auto found = std::lower_bound(
      chunks.begin(), chunks.end(), id,
      [](const ListedChunk& chunk, ChunkId wanted) { return chunk.id < wanted; });
  return found != chunks.end() && found->id == id;
}

bool Comparing::MeetsJudged(GroupRange groups) const {
  const auto judged = judged_.lower_bound(PgId(groups.first));
  return judged != judged_.end() && judged->first.value < uint64_t{groups.first} + groups.count;
}

bool Comparing::LookForChunk(ChunkId id, PgId group, uint64_t generation) {
  const auto judged = judged_.find(group);
  if (judged == judged_.end()) return true;
  const v1::PlacementGroup& row = *map_.FindGroup(group);
  const Epoch epoch(row.epoch());
  if (row.lost()) return Add({Kind::kLost, id, ServerId(0), group, generation, epoch}, 0);
  for (const ServerId server : judged->second) {
    if (IsStored(server, id)) continue;
    if (!Add({Kind::kMissing, id, server, group, generation, epoch}, 0)) return false;
  }
  return true;
}

void Comparing::LookForMissing(InodeId inode, const FileChunks& file) {
  const GroupRange groups = GroupsOfFile(file);
  if (!file.regular || file.leaving || groups.count == 0) return;
  // Runs may claim billions of chunks. In as many steps as there are groups one is met that is
  // judged, so what is walked is stored or counts as a suspicion; unless none is.
  if (!MeetsJudged(groups)) return;
  for (const v1::ChunkRun& run : file.runs) {
    const uint64_t end = uint64_t{run.first()} + run.count();
    const uint64_t first =
        inode == range_.after.inode ? uint64_t{range_.after.index} + 1 : run.first();
    for (uint64_t index = std::max<uint64_t>(first, run.first()); index < end; ++index) {
      const ChunkId id{inode, static_cast<uint32_t>(index)};
      if (id > range_.upto) return;
      const PgId group = LocateChunk(groups, file.layout.seed(), index);
      if (!LookForChunk(id, group, file.generation)) return;
    }
  }
}

}  // namespace

FileChunks ChunksOf(const v1::InodeRecord& record) {
  FileChunks file;
  file.regular = S_ISREG(record.attributes().mode());
  file.leaving = record.attributes().links() == 0;
  file.layout = record.file().layout();
  file.generation = record.file().generation();
  file.runs.assign(record.file().runs().begin(), record.file().runs().end());
  return file;
}

ChunkComparison CompareChunks(const ChunkRange& range, const ServerListings& listings,
                              const std::map<InodeId, FileChunks>& files, const MapSnapshot& map,
                              const ServerViews& views) {
  Comparing comparing(range, listings, map, views);
  for (const auto& [server, chunks] : listings) {
    for (const ListedChunk& chunk : chunks) comparing.LookAtStored(server, chunk, files);
  }
  for (const auto& [inode, file] : files) comparing.LookForMissing(inode, file);
  return comparing.Take();
}

}  // namespace cairn

#include "metaserver/cluster/compare_chunks.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "metaserver/cluster/stored_listings.h"
#include "metaserver/placement/locate.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Four groups of servers 1, 2 and 3, all active; server 4 is in none of them.
class CompareChunksTest : public testing::Test {
 protected:
  static constexpr uint32_t kGroups = 4;
  static constexpr uint32_t kFirstGroup = 10;

  CompareChunksTest() {
    v1::Pool& pool = map_.pools[PoolId(1)];
    pool.set_id(1);
    pool.set_first_group(kFirstGroup);
    pool.set_group_count(kGroups);
    for (uint32_t id = kFirstGroup; id < kFirstGroup + kGroups; ++id) {
      v1::PlacementGroup& group = map_.groups[PgId(id)];
      group.set_id(id);
      group.set_epoch(3);
      for (const uint32_t server : {1, 2, 3}) {
        v1::Member& member = *group.add_members();
        member.set_server(server);
        MakeActive(member, ViewOf(ServerId(server)));
      }
      Activate(group);
    }
    for (const uint32_t server : {1, 2, 3, 4}) listings_[ServerId(server)];
  }
  ServerView ViewOf(ServerId server) const {
    return {ServerView::Presence::kAlive, Incarnation(restarted_.contains(server) ? 2 : 1), "boot"};
  }
  FileChunks& MakeFile(uint64_t inode, uint32_t chunks) {
    FileChunks& file = files_[InodeId(inode)];
    file.regular = true;
    file.layout.set_pool(1);
    file.layout.set_seed(inode);
    file.generation = 5;
    if (chunks > 0) file.runs.emplace_back().set_count(chunks);
    return file;
  }
  PgId GroupOf(ChunkId id) const {
    const v1::Layout& layout = files_.at(id.inode).layout;
    return LocateChunk(GroupsOf(map_.pools.at(PoolId(1)), layout.generation()), layout.seed(),
                       id.index);
  }
  void Store(uint32_t server, ChunkId id, PgId group) {
    listings_[ServerId(server)].push_back({id, group, 4096});
  }
  // On all members, where they belong.
  void StoreAll(uint64_t inode, uint32_t chunks) {
    for (uint32_t index = 0; index < chunks; ++index) {
      const ChunkId id{InodeId(inode), index};
      for (const uint32_t server : {1, 2, 3}) Store(server, id, GroupOf(id));
    }
  }
  void Lose(uint32_t server, ChunkId id) {
    std::erase_if(listings_[ServerId(server)], [&](const auto& chunk) { return chunk.id == id; });
  }
  v1::PlacementGroup& Group(PgId id) { return map_.groups.at(id); }
  ChunkComparison Compare() {
    return CompareChunks(range_, listings_, files_, map_,
                         [this](ServerId server) { return ViewOf(server); });
  }
  // "ORPHAN 7/0 at 2", in order.
  std::vector<std::string> Found() {
    std::vector<std::string> texts;
    for (const auto& [suspicion, bytes] : Compare().suspicions) {
      const char* names[] = {"ORPHAN", "SURPLUS", "MISSING", "LOST"};
      texts.push_back(fmt::format("{} {} at {}", names[static_cast<int>(suspicion.kind)],
                                  suspicion.id, suspicion.server));
    }
    return texts;
  }

  ChunkRange range_{{}, kLastChunk};
  MapSnapshot map_;
  ServerListings listings_;
  std::map<InodeId, FileChunks> files_;
  std::set<ServerId> restarted_;
};
using RuleC10CompareChunks = CompareChunksTest;
using RuleC11CompareChunks = CompareChunksTest;

constexpr ChunkId kStray{InodeId(7), 0};

TEST_F(CompareChunksTest, FilesWithTheirChunksInPlaceGiveNothing) {
  MakeFile(5, 9);
  MakeFile(6, 0);
  files_[InodeId(1)] = FileChunks();  // a directory
  StoreAll(5, 9);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(RuleC11CompareChunks, AChunkOfNoFileOnAnActiveMemberIsAnOrphan) {
  Store(2, kStray, PgId(10));
  const ChunkComparison compared = Compare();
  ASSERT_THAT(compared.suspicions, SizeIs(1));
  const auto& [suspicion, bytes] = *compared.suspicions.begin();
  EXPECT_EQ(suspicion.kind, ChunkSuspicion::Kind::kOrphan);
  EXPECT_EQ(suspicion.id, kStray);
  EXPECT_EQ(suspicion.server, ServerId(2));
  EXPECT_EQ(suspicion.group, PgId(10));
  EXPECT_EQ(bytes, 4096u);
}

// It is an inode: whatever else is wrong, its chunks are not nobody's.
TEST_F(RuleC11CompareChunks, AnInodeOfWhateverKindMakesNoOrphan) {
  files_[InodeId(7)] = FileChunks();
  Store(2, kStray, PgId(10));
  EXPECT_THAT(Found(), ElementsAre("SURPLUS 7/0 at 2"));
}

TEST_F(RuleC11CompareChunks, AFileOnItsWayOutIsNoOrphanAndMissesNothing) {
  MakeFile(7, 3).leaving = true;
  Store(2, {InodeId(7), 1}, GroupOf({InodeId(7), 1}));
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(RuleC11CompareChunks, AChunkBehindACutOrNotYetCommittedIsNoFinding) {
  MakeFile(7, 1);
  StoreAll(7, 5);
  EXPECT_THAT(Found(), IsEmpty());
}

// Its catch-up deletes what the active members do not have.
TEST_F(RuleC11CompareChunks, OnAMemberThatIsNotActiveAStrayChunkIsNoOrphan) {
  MakeInactive(*Group(PgId(10)).mutable_members(1), v1::MEMBER_SYNCING);
  Store(2, kStray, PgId(10));
  EXPECT_THAT(Found(), IsEmpty());
  restarted_.insert(ServerId(3));
  Store(3, kStray, PgId(10));
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(RuleC11CompareChunks, OnAServerThatIsNoMemberAStrayChunkIsSurplus) {
  Store(4, kStray, PgId(10));
  EXPECT_THAT(Found(), ElementsAre("SURPLUS 7/0 at 4"));
}

TEST_F(RuleC11CompareChunks, InAGroupThatDoesNotExistAStrayChunkIsAnOrphan) {
  Store(4, kStray, PgId(99));
  EXPECT_THAT(Found(), ElementsAre("ORPHAN 7/0 at 4"));
}

TEST_F(CompareChunksTest, AChunkOnAServerOutsideItsGroupIsSurplus) {
  MakeFile(5, 1);
  StoreAll(5, 1);
  Store(4, {InodeId(5), 0}, GroupOf({InodeId(5), 0}));
  EXPECT_THAT(Found(), ElementsAre("SURPLUS 5/0 at 4"));
}

TEST_F(CompareChunksTest, AChunkUnderAnotherGroupThanItsLayoutGivesIsSurplus) {
  MakeFile(5, 1);
  StoreAll(5, 1);
  const ChunkId id{InodeId(5), 0};
  Lose(3, id);
  Store(3, id, PgId(GroupOf(id).value == 10 ? 11 : 10));
  EXPECT_THAT(Found(), ElementsAre("SURPLUS 5/0 at 3"));
}

TEST_F(RuleC10CompareChunks, AWrittenChunkThatAnActiveMemberLacksIsMissing) {
  MakeFile(5, 9);
  StoreAll(5, 9);
  Lose(2, {InodeId(5), 4});
  const ChunkComparison compared = Compare();
  ASSERT_THAT(compared.suspicions, SizeIs(1));
  const ChunkSuspicion& suspicion = compared.suspicions.begin()->first;
  EXPECT_EQ(suspicion.kind, ChunkSuspicion::Kind::kMissing);
  EXPECT_EQ(suspicion.id, (ChunkId{InodeId(5), 4}));
  EXPECT_EQ(suspicion.server, ServerId(2));
  EXPECT_EQ(suspicion.generation, 5u) << "a cut in between makes it another suspicion";
  EXPECT_EQ(suspicion.epoch, Epoch(3)) << "so does another epoch";
}

TEST_F(RuleC10CompareChunks, OnlyActiveMembersThatAnsweredAreJudged) {
  MakeFile(5, 4);  // one in each group
  listings_.erase(ServerId(1));
  restarted_.insert(ServerId(2));
  for (auto& [id, group] : map_.groups) {
    MakeInactive(*group.mutable_members(2), v1::MEMBER_SYNCING);
  }
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(RuleC10CompareChunks, AGroupWhoseCopiesAreNotYetEqualIsNotJudged) {
  MakeFile(5, 4);
  for (auto& [id, group] : map_.groups) group.set_epoch(4);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(RuleC10CompareChunks, OnlyChunksOfTheRangeAreLookedAt) {
  MakeFile(5, 9);
  range_ = {{InodeId(5), 2}, {InodeId(5), 4}};
  Store(1, kStray, PgId(10));
  for (const uint32_t server : {2, 3}) listings_.erase(ServerId(server));
  EXPECT_THAT(Found(), ElementsAre("MISSING 5/3 at 1", "MISSING 5/4 at 1"));
}

TEST_F(CompareChunksTest, RunsThatClaimBillionsOfChunksEndSoon) {
  MakeFile(5, UINT32_MAX);
  const ChunkComparison compared = Compare();
  EXPECT_THAT(compared.suspicions, SizeIs(kMostSuspicionsPerFile));
  EXPECT_THAT(compared.cut_short, ElementsAre(InodeId(5)));
  listings_.clear();
  listings_[ServerId(4)];  // in no group: nothing there can be missing
  EXPECT_THAT(Compare().suspicions, IsEmpty());
}

TEST_F(CompareChunksTest, AFileOfAPoolThatDoesNotExistMissesNothing) {
  MakeFile(5, 3).layout.set_pool(77);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(CompareChunksTest, OfARowTheChunksAreTaken) {
  v1::InodeRecord record;
  record.mutable_attributes()->set_mode(S_IFREG | 0600);
  record.mutable_attributes()->set_links(1);
  record.mutable_file()->set_generation(7);
  record.mutable_file()->add_runs()->set_first(3);
  const FileChunks file = ChunksOf(record);
  EXPECT_TRUE(file.regular);
  EXPECT_FALSE(file.leaving);
  EXPECT_EQ(file.generation, 7u);
  ASSERT_THAT(file.runs, SizeIs(1));
  record.mutable_attributes()->set_links(0);
  record.mutable_attributes()->set_mode(S_IFDIR | 0700);
  EXPECT_TRUE(ChunksOf(record).leaving);
  EXPECT_FALSE(ChunksOf(record).regular);
}

TEST_F(CompareChunksTest, WrittenChunksOfALostGroupAreLostAndOthersAreNot) {
  MakeFile(5, 8);
  StoreAll(5, 8);
  v1::PlacementGroup& lost = Group(GroupOf({InodeId(5), 2}));
  lost.set_lost(true);
  lost.clear_members();
  lost.clear_activated();
  for (const uint32_t server : {1, 2, 3}) {
    for (const uint32_t index : {2, 6}) Lose(server, {InodeId(5), index});
  }
  EXPECT_THAT(Found(), ElementsAre("LOST 5/2 at 0", "LOST 5/6 at 0"));
}

TEST_F(CompareChunksTest, AFileOfAnEarlierGenerationIsLookedForInItsOwnGroups) {
  MakeFile(5, 4);
  StoreAll(5, 4);
  v1::Pool& pool = map_.pools.at(PoolId(1));
  v1::PoolGeneration& earlier = *pool.add_earlier();
  earlier.set_generation(pool.generation());
  earlier.set_first_group(pool.first_group());
  earlier.set_group_count(pool.group_count());
  pool.set_generation(pool.generation() + 1);
  pool.set_group_count(0);
  EXPECT_THAT(Found(), IsEmpty());
  Lose(1, {InodeId(5), 3});
  EXPECT_THAT(Found(), ElementsAre("MISSING 5/3 at 1"));
}

}  // namespace
}  // namespace cairn

#include "metaserver/cluster/chunk_check.h"

#include <sys/stat.h>

#include "metaserver/placement/locate.h"
#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Chunkservers that store what a test says.
class FakeInspector final : public ChunkInspector {
 public:
  void List(const v1::ServerRecord& server, const v1::ListStoredRequest& request, Deadline,
            std::function<void(Result<v1::ListStoredResponse>)> done) override {
    ++lists;
    if (silent.contains(server.host())) {
      return done(Fail(ErrorCode::kDeadlineExceeded, "no answer"));
    }
    if (before_list) before_list(lists);
    v1::ListStoredResponse response;
    response.set_end(true);
    const ChunkId after{InodeId(request.after_inode()), request.after_index()};
    const auto& chunks = stored[server.host()];
    for (auto it = chunks.upper_bound(after); it != chunks.end(); ++it) {
      if (response.chunks_size() == static_cast<int>(std::min(request.limit(), most))) {
        response.set_end(false);
        break;
      }
      v1::StoredChunk& chunk = *response.add_chunks();
      chunk.set_inode(it->first.inode.value);
      chunk.set_index(it->first.index);
      chunk.set_group(it->second.value);
      chunk.set_bytes(4096);
    }
    done(response);
    if (after_list) after_list(lists);
  }
  void SetAside(const v1::ServerRecord& server, const v1::SetAsideRequest& request,
                Deadline deadline,
                std::function<void(Result<v1::SetAsideResponse>)> done) override {
    EXPECT_LE(deadline.Left(), kReadIsFresh);
    ++set_asides;
    if (busy) return done(Fail(ErrorCode::kBusy, "written a moment ago"));
    v1::SetAsideResponse response;
    for (const v1::StoredChunk& chunk : request.chunks()) {
      const size_t gone = stored[server.host()].erase({InodeId(chunk.inode()), chunk.index()});
      response.set_set_aside(response.set_aside() + static_cast<uint32_t>(gone));
    }
    done(response);
  }

  std::map<std::string, std::map<ChunkId, PgId>> stored;  // by host
  std::set<std::string> silent;
  uint32_t most = UINT32_MAX;  // in one answer
  bool busy = false;
  int lists = 0, set_asides = 0;
  std::function<void(int)> before_list, after_list;  // with the number of the call
};

class ChunkCheckTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(3, 3);
    v1::StateRecord state = state_.State();
    state.set_next_inode(1u << 20);
    state_.Put(schema::StateKey(), state);
    check_ = std::make_unique<ChunkCheck>(state_, *maps_, *registry_, inspector_);
  }
  v1::InodeRecord MakeFile(uint64_t inode, uint32_t chunks, uint64_t generation = 1) {
    v1::InodeRecord record;
    record.mutable_attributes()->set_inode(inode);
    record.mutable_attributes()->set_mode(S_IFREG | 0644);
    record.mutable_attributes()->set_links(1);
    record.mutable_file()->mutable_layout()->set_pool(1);
    record.mutable_file()->mutable_layout()->set_generation(1);
    record.mutable_file()->mutable_layout()->set_seed(inode * 7919);
    record.mutable_file()->mutable_layout()->set_chunk_size(1u << 20);
    record.mutable_file()->set_generation(generation);
    if (chunks > 0) record.mutable_file()->add_runs()->set_count(chunks);
    state_.Put(schema::InodeKey(InodeId(inode)), record);
    return record;
  }
  void RemoveFile(uint64_t inode) { state_.Erase(schema::InodeKey(InodeId(inode))); }
  PgId GroupOf(ChunkId id) {
    const v1::Pool& pool = *Map()->FindPool(PoolId(1));
    return LocateChunk(GroupsOf(pool, pool.generation()), id.inode.value * 7919, id.index);
  }
  void Store(const std::string& host, ChunkId id) { inspector_.stored[host][id] = GroupOf(id); }
  void StoreAll(uint64_t inode, uint32_t chunks) {
    for (uint32_t index = 0; index < chunks; ++index) {
      for (const char* host : {"host1", "host2", "host3"}) Store(host, {InodeId(inode), index});
    }
  }
  void Lose(const std::string& host, ChunkId id) { inspector_.stored[host].erase(id); }
  void LoseAll(uint64_t inode) {
    for (auto& [host, chunks] : inspector_.stored) {
      std::erase_if(chunks, [&](const auto& entry) { return entry.first.inode.value == inode; });
    }
  }

  Result<v1::CheckChunksResponse> Page(bool repair = false, uint64_t after = 0) {
    v1::CheckChunksRequest request;
    request.set_after_inode(after);
    request.set_repair(repair);
    return check_->Page(request, Deadline::After(60s));
  }
  static std::string TextOf(const v1::ChunkFinding& finding) {
    return fmt::format("{} {}/{} at {}{}", finding.code(), finding.inode(), finding.index(),
                       finding.server(), finding.set_aside() ? ", set aside" : "");
  }
  // From one end to the other.
  std::vector<std::string> Find(bool repair = false) {
    std::vector<std::string> texts;
    pages_ = 0;
    chunks_seen_ = 0;
    uint64_t after = 0;
    while (true) {
      const auto page = Page(repair, after);
      EXPECT_THAT(page, IsOk());
      if (!page.has_value()) return texts;
      ++pages_;
      chunks_seen_ += page->chunks_seen();
      silent_.insert(page->silent_servers().begin(), page->silent_servers().end());
      for (const v1::ChunkFinding& finding : page->findings()) texts.push_back(TextOf(finding));
      if (page->end()) return texts;
      EXPECT_GT(page->next_inode(), after);
      after = page->next_inode();
    }
  }

  FakeInspector inspector_;
  std::unique_ptr<ChunkCheck> check_;
  int pages_ = 0;
  uint64_t chunks_seen_ = 0;
  std::set<uint32_t> silent_;
};
using RuleC10ChunkCheck = ChunkCheckTest;
using RuleC11ChunkCheck = ChunkCheckTest;
using RuleM6ChunkCheck = ChunkCheckTest;

TEST_F(ChunkCheckTest, AClusterInOrderGivesNothing) {
  MakeFile(5, 3);
  MakeFile(6, 0);
  StoreAll(5, 3);
  EXPECT_THAT(Find(), IsEmpty());
  EXPECT_EQ(chunks_seen_, 9u);
  EXPECT_THAT(silent_, IsEmpty());
  EXPECT_EQ(inspector_.lists, 3) << "nothing to look at twice";
}

TEST_F(RuleC11ChunkCheck, AnOrphanIsToldAndOnlySetAsideWhenThatIsWanted) {
  Store("host2", {InodeId(100), 0});
  EXPECT_THAT(Find(), ElementsAre("ORPHAN 100/0 at 2"));
  EXPECT_EQ(inspector_.set_asides, 0);
  EXPECT_THAT(Find(true), ElementsAre("ORPHAN 100/0 at 2, set aside"));
  EXPECT_THAT(Find(true), IsEmpty());
}

TEST_F(RuleC11ChunkCheck, WhatTheServerDidNotSetAsideIsNotSaidToBe) {
  Store("host2", {InodeId(100), 0});
  inspector_.busy = true;
  EXPECT_THAT(Find(true), ElementsAre("ORPHAN 100/0 at 2"));
  EXPECT_EQ(inspector_.set_asides, 1);
}

// Listed, then unlinked and removed everywhere, and only then read.
TEST_F(RuleC11ChunkCheck, AFileRemovedBetweenListingAndReadIsNoOrphan) {
  MakeFile(100, 1);
  StoreAll(100, 1);
  inspector_.after_list = [this](int number) {
    if (number != 3) return;
    RemoveFile(100);
    LoseAll(100);
  };
  EXPECT_THAT(Find(true), IsEmpty());
  EXPECT_EQ(inspector_.set_asides, 0);
}

// Written before its row was read, whatever comes first at which server.
TEST_F(RuleC11ChunkCheck, AFileCreatedWhileServersAreListedIsNoOrphan) {
  inspector_.before_list = [this](int number) {
    if (number != 2) return;
    MakeFile(100, 1);
    StoreAll(100, 1);
  };
  EXPECT_THAT(Find(true), IsEmpty());
  EXPECT_EQ(inspector_.set_asides, 0);
}

TEST_F(RuleC11ChunkCheck, AnIdThatWasNeverReservedIsToldAndNeverSetAside) {
  inspector_.stored["host2"][{InodeId(1u << 20), 0}] = GroupOf({InodeId(1u << 20), 0});
  EXPECT_THAT(Find(true), ElementsAre("ORPHAN 1048576/0 at 2"));
  EXPECT_EQ(inspector_.set_asides, 0);
}

TEST_F(RuleC11ChunkCheck, AFileThatWaitsForItsRemovalIsNoFinding) {
  v1::InodeRecord record = MakeFile(100, 2);
  record.mutable_attributes()->set_links(0);
  state_.Put(schema::InodeKey(InodeId(100)), record);
  state_.Put(schema::OrphanKey(InodeId(100)), v1::OrphanRecord());
  Store("host2", {InodeId(100), 0});
  EXPECT_THAT(Find(true), IsEmpty());
}

TEST_F(RuleM6ChunkCheck, OnlyTheLeaderSpeaks) {
  state_.serving_term = Term();
  EXPECT_THAT(Page(), StatusIs(ErrorCode::kNotLeader));
}

TEST_F(RuleM6ChunkCheck, ALeaderThatIsDeposedInTheMiddleSetsNothingAside) {
  Store("host2", {InodeId(100), 0});
  for (const int lost_at : {1, 4}) {  // before the first read, before the one that confirms
    inspector_.lists = 0;
    state_.lease_holds = state_.confirms = true;
    inspector_.before_list = [this, lost_at](int number) {
      if (number == lost_at) state_.lease_holds = state_.confirms = false;
    };
    EXPECT_THAT(Page(true), StatusIs(ErrorCode::kNotLeader)) << lost_at;
  }
  EXPECT_EQ(inspector_.set_asides, 0);
}

// Deposed and elected again: what was created in between was not in the first term's rows.
TEST_F(RuleM6ChunkCheck, ALaterTermOfTheSameLeaderIsAnotherLeader) {
  Store("host2", {InodeId(100), 0});
  inspector_.before_list = [this](int number) {
    if (number == 4) state_.serving_term = Term(2);
  };
  EXPECT_THAT(Page(true), StatusIs(ErrorCode::kNotLeader));
  EXPECT_EQ(inspector_.set_asides, 0);
}

TEST_F(RuleM6ChunkCheck, WithoutALeaseAMajorityIsAsked) {
  Store("host2", {InodeId(100), 0});
  state_.lease_holds = false;
  EXPECT_THAT(Find(), ElementsAre("ORPHAN 100/0 at 2"));
}

TEST_F(RuleC10ChunkCheck, AWrittenChunkThatAMemberLacksIsMissing) {
  MakeFile(5, 3);
  StoreAll(5, 3);
  Lose("host3", {InodeId(5), 1});
  EXPECT_THAT(Find(), ElementsAre("MISSING 5/1 at 3"));
}

// Runs are committed after the chunk was written, perhaps both after the listing.
TEST_F(RuleC10ChunkCheck, AChunkWrittenBetweenListingAndReadIsNotMissing) {
  MakeFile(5, 0);
  inspector_.after_list = [this](int number) {
    if (number != 3) return;
    MakeFile(5, 2);
    StoreAll(5, 2);
  };
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(RuleC10ChunkCheck, AChunkThatWasCutOffMeanwhileIsNotMissing) {
  MakeFile(5, 2);
  StoreAll(5, 1);  // the cut has been carried out, and was not committed when the rows were read
  inspector_.before_list = [this](int number) {
    if (number == 4) MakeFile(5, 1, 2);
  };
  EXPECT_THAT(Find(), IsEmpty());
}

// Another generation: it was cut off and written again, and is not where it was looked for.
TEST_F(RuleC10ChunkCheck, AChunkThatWasCutOffAndWrittenAgainMeanwhileIsNotMissing) {
  MakeFile(5, 2);
  StoreAll(5, 1);
  inspector_.after_list = [this](int number) {
    if (number == 6) MakeFile(5, 2, 2);
  };
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(RuleC10ChunkCheck, AMemberThatLeftMeanwhileLacksNothing) {
  MakeFile(5, 1);
  StoreAll(5, 1);
  Lose("host3", {InodeId(5), 0});
  inspector_.after_list = [this](int number) {
    if (number < 4 || servers_[3].incarnation > 1) return;
    ASSERT_THAT(Restart(3), IsOk());
    Look();
  };
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(ChunkCheckTest, OfAServerThatDoesNotAnswerNothingIsSaidButThatItIsSilent) {
  MakeFile(5, 3);
  StoreAll(5, 3);
  Lose("host3", {InodeId(5), 1});
  inspector_.silent.insert("host3");
  EXPECT_THAT(Find(), IsEmpty());
  EXPECT_THAT(silent_, ElementsAre(3));
  inspector_.silent.clear();
  Kill(3);
  Pass(2s);
  const int lists = inspector_.lists;
  EXPECT_THAT(Find(), IsEmpty());
  EXPECT_THAT(silent_, ElementsAre(3));
  EXPECT_EQ(inspector_.lists, lists + 2) << "who is known to be away is not waited for";
}

TEST_F(ChunkCheckTest, WhatAServerFellSilentOverIsNotConfirmed) {
  Store("host2", {InodeId(100), 0});
  inspector_.after_list = [this](int number) {
    if (number == 3) inspector_.silent.insert("host2");
  };
  EXPECT_THAT(Find(true), IsEmpty());
  EXPECT_THAT(silent_, ElementsAre(2));
}

TEST_F(ChunkCheckTest, DamagedChunksOfFilesThatExistAreToldOnce) {
  MakeFile(5, 1);
  StoreAll(5, 1);
  v1::HeartbeatRequest beat;
  beat.set_server(servers_[2].id);
  beat.set_incarnation(1);
  for (const uint64_t inode : {5, 66}) {
    v1::LostChunk& lost = *beat.add_damaged();
    lost.set_inode(inode);
    lost.set_group(GroupOf({InodeId(inode), 0}).value);
  }
  ASSERT_THAT(membership_->Heartbeat(beat), IsOk());
  inspector_.most = 1;
  EXPECT_THAT(Find(), ElementsAre("DAMAGED 5/0 at 2"));
}

TEST_F(ChunkCheckTest, ManyPagesFindWhatOneFinds) {
  for (uint64_t inode = 10; inode < 40; ++inode) {
    MakeFile(inode, 3);
    StoreAll(inode, 3);
  }
  Lose("host1", {InodeId(12), 2});
  Store("host2", {InodeId(200), 7});
  for (uint32_t index = 0; index < 9; ++index) Store("host3", {InodeId(30), 100 + index});
  for (const uint32_t most : {1u, 2u, 5u, 1000u}) {
    inspector_.most = most;
    EXPECT_THAT(Find(), ElementsAre("MISSING 12/2 at 1", "ORPHAN 200/7 at 2")) << most;
    EXPECT_GE(pages_, most == 1000 ? 1 : 8);
    EXPECT_EQ(chunks_seen_, 30u * 9 - 1 + 1 + 9) << "each chunk once";
  }
}

TEST_F(ChunkCheckTest, AnInodeWithMoreChunksThanAnAnswerHoldsIsLookedAtWhole) {
  MakeFile(5, 50);
  StoreAll(5, 50);
  Lose("host1", {InodeId(5), 49});
  inspector_.most = 7;
  EXPECT_EQ(Page()->next_inode(), 4u) << "up to it";
  const auto page = Page(false, 4);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->findings_size(), 1);
  EXPECT_EQ(TextOf(page->findings(0)), "MISSING 5/49 at 1");
  EXPECT_GE(page->next_inode(), 5u);
}

TEST_F(ChunkCheckTest, APageWithManyFindingsEndsAndTheNextGoesOn) {
  for (uint64_t inode = 1000; inode < 3500; ++inode) Store("host1", {InodeId(inode), 0});
  EXPECT_THAT(Find(), SizeIs(2500));
  EXPECT_EQ(pages_, 3);
}

TEST_F(ChunkCheckTest, OfAFileWithTooManyFindingsItIsSaidThatThereAreMore) {
  for (uint32_t index = 0; index < 2500; ++index) Store("host1", {InodeId(100), index});
  Store("host1", {InodeId(101), 0});
  const auto page = Page(true);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->next_inode(), 100u);
  ASSERT_EQ(page->findings_size(), 1000);
  EXPECT_TRUE(page->findings(999).and_more());
  int rounds = 0;
  while (!Find(true).empty()) ++rounds;
  EXPECT_EQ(rounds, 2) << "asking again ends it";
  EXPECT_THAT(inspector_.stored["host1"], IsEmpty());
}

TEST_F(ChunkCheckTest, APageThatIsOutOfTimeSaysSo) {
  EXPECT_EQ(check_->Page({}, Deadline::After(0s)).error().code(), ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace cairn

#include "metaserver/cluster/reaper.h"

#include <sys/stat.h>

#include "metaserver/placement/locate.h"
#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

// Keeps what it was told; answers as the test wants.
class RecordingRemover final : public ChunkRemover {
 public:
  struct Sent {
    std::string host;
    v1::RemoveChunksRequest request;
  };
  void Remove(const v1::ServerRecord& server, const v1::RemoveChunksRequest& request, Deadline,
              std::function<void(Status)> done) override {
    sent.push_back({server.host(), request});
    if (on_send) on_send();
    done(server.host() == failing ? Status(ErrorCode::kUnavailable, "down") : OkStatus());
  }
  std::vector<Sent> sent;
  std::string failing;
  std::function<void()> on_send;
};

class ReaperTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(3, 3);
    reaper_ = std::make_unique<Reaper>(state_, *maps_, *registry_, remover_, clock_);
  }
  v1::InodeRecord MakeFile(uint64_t inode, uint32_t chunks) {
    v1::InodeRecord record;
    record.mutable_attributes()->set_inode(inode);
    record.mutable_attributes()->set_mode(S_IFREG | 0644);
    record.mutable_file()->mutable_layout()->set_pool(1);
    record.mutable_file()->mutable_layout()->set_generation(1);
    record.mutable_file()->mutable_layout()->set_seed(inode * 7919);
    record.mutable_file()->mutable_layout()->set_chunk_size(1u << 20);
    record.mutable_file()->set_generation(4);
    if (chunks > 0) record.mutable_file()->add_runs()->set_count(chunks);
    state_.Put(schema::InodeKey(InodeId(inode)), record);
    return record;
  }
  void MakeOrphan(uint64_t inode, uint32_t chunks) {
    MakeFile(inode, chunks);
    state_.Put(schema::OrphanKey(InodeId(inode)), v1::OrphanRecord());
  }
  bool IsOrphan(uint64_t inode) { return state_.Has(schema::OrphanKey(InodeId(inode))); }
  // Chunk indexes removed from one server.
  std::map<std::string, std::set<uint32_t>> Removed(uint64_t inode) {
    std::map<std::string, std::set<uint32_t>> removed;
    for (const auto& sent : remover_.sent) {
      EXPECT_LE(sent.request.chunks_size(), 1000);
      for (const v1::ChunkAddress& chunk : sent.request.chunks()) {
        if (chunk.inode() == inode) removed[sent.host].insert(chunk.index());
      }
    }
    return removed;
  }
  void Run() { ASSERT_THAT(reaper_->RunOnce(), IsOk()); }

  RecordingRemover remover_;
  std::unique_ptr<Reaper> reaper_;
};
using RuleC9Reaper = ReaperTest;
using RuleC11Reaper = ReaperTest;

TEST_F(RuleC11Reaper, AnOrphanGoesOnceEveryMemberHasRemovedItsChunks) {
  MakeOrphan(100, 5);
  Run();
  EXPECT_FALSE(IsOrphan(100));
  const auto removed = Removed(100);
  ASSERT_EQ(removed.size(), 3u);
  for (const auto& [host, chunks] : removed) EXPECT_EQ(chunks.size(), 5u) << host;
  const auto& sent = remover_.sent.front().request;
  EXPECT_TRUE(sent.whole());
  EXPECT_EQ(sent.chunks(0).generation(), 4u);
  EXPECT_EQ(sent.chunks(0).epoch(), 1u);
}

TEST_F(RuleC11Reaper, AnOrphanThatIsHeldOpenIsLeftAlone) {
  MakeFile(100, 5);
  v1::OrphanRecord held;
  held.add_holders(1);
  state_.Put(schema::OrphanKey(InodeId(100)), held);
  Run();
  EXPECT_TRUE(IsOrphan(100));
  EXPECT_TRUE(remover_.sent.empty());
}

TEST_F(RuleC11Reaper, NothingIsRemovedBeforeADeadHoldersFenceHasPassed) {
  MakeFile(100, 5);
  v1::Command open;
  open.mutable_open_session()->set_client_id("dead");
  uint64_t session = 0;
  state_.Propose(open, [&](const Result<v1::Outcome>& outcome) { session = outcome->session(); });
  v1::OrphanRecord held;
  held.add_holders(session);
  state_.Put(schema::OrphanKey(InodeId(100)), held);
  v1::Command close;
  close.mutable_close_session()->set_session(session);
  close.mutable_close_session()->set_fence(true);
  ASSERT_THAT(StatusOfPropose(close), IsOk());
  Run();
  EXPECT_TRUE(IsOrphan(100));
  EXPECT_TRUE(remover_.sent.empty());
  for (const uint32_t server : {1u, 2u, 3u}) {
    EXPECT_TRUE(remover_.sent.empty());
    servers_[server].fences_finished = 1;
    ASSERT_TRUE(Beat(server).has_value());
    Run();
  }
  EXPECT_FALSE(IsOrphan(100));
}

TEST_F(RuleC11Reaper, FencesThatCameLaterKeepNothingBack) {
  MakeOrphan(100, 5);
  v1::Command open;
  open.mutable_open_session()->set_client_id("dead");
  v1::Command close;
  state_.Propose(open, [&](const Result<v1::Outcome>& outcome) {
    close.mutable_close_session()->set_session(outcome->session());
  });
  close.mutable_close_session()->set_fence(true);
  ASSERT_THAT(StatusOfPropose(close), IsOk());
  Run();
  EXPECT_FALSE(IsOrphan(100));
}

TEST_F(ReaperTest, AMemberThatDidNotAnswerIsAskedAgainLater) {
  MakeOrphan(100, 5);
  remover_.failing = "host2";
  Run();
  EXPECT_TRUE(IsOrphan(100));
  remover_.failing.clear();
  Pass(3s);
  Run();
  EXPECT_FALSE(IsOrphan(100));
}

// Its primary sees to it that it does not bring the bytes back.
TEST_F(ReaperTest, AMemberThatIsCatchingUpKeepsNothingWaiting) {
  MakeOrphan(100, 5);
  ASSERT_THAT(Restart(3), IsOk());
  Look();
  Run();
  EXPECT_FALSE(IsOrphan(100));
}

TEST_F(ReaperTest, AnEpochThatMovesMeanwhileMakesTheAnswersWorthless) {
  MakeOrphan(100, 1);
  remover_.on_send = [this] {
    if (servers_[3].incarnation > 1) return;
    ASSERT_THAT(Restart(3), IsOk());
    Look();
  };
  Run();
  EXPECT_TRUE(IsOrphan(100));
}

TEST_F(ReaperTest, ALargeFileGoesPageByPageAndOthersGoOnMeanwhile) {
  MakeOrphan(100, 2500);
  MakeOrphan(101, 1);
  for (int i = 0; i < 8 && IsOrphan(100); ++i) Run();
  EXPECT_FALSE(IsOrphan(100));
  EXPECT_FALSE(IsOrphan(101));
  for (const auto& [host, chunks] : Removed(100)) EXPECT_EQ(chunks.size(), 2500u) << host;
}

TEST_F(ReaperTest, AnOrphanWithoutChunksOrInodeJustGoes) {
  MakeOrphan(100, 0);
  state_.Put(schema::OrphanKey(InodeId(101)), v1::OrphanRecord());
  Run();
  EXPECT_FALSE(IsOrphan(100));
  EXPECT_FALSE(IsOrphan(101));
  EXPECT_TRUE(remover_.sent.empty());
}

TEST_F(RuleC9Reaper, ATrimSendsTheCutsAndIsForgottenAfterwards) {
  v1::InodeRecord file = MakeFile(100, 2);
  v1::Cut& cut = *file.mutable_file()->add_cuts();
  cut.set_generation(4);
  cut.set_length(1500000);
  state_.Put(schema::InodeKey(InodeId(100)), file);
  v1::TrimRecord trim;
  trim.set_generation(4);
  AddRun(*trim.mutable_runs(), 1, 6);
  state_.Put(schema::TrimKey(InodeId(100)), trim);
  Run();
  EXPECT_FALSE(state_.Has(schema::TrimKey(InodeId(100))));
  EXPECT_TRUE(state_.Has(schema::InodeKey(InodeId(100))));
  for (const auto& [host, chunks] : Removed(100)) {
    EXPECT_EQ(chunks, (std::set<uint32_t>{1, 2, 3, 4, 5})) << host;
  }
  const auto& sent = remover_.sent.front().request;
  EXPECT_FALSE(sent.whole());
  ASSERT_EQ(sent.chunks(0).cuts_size(), 1);
  EXPECT_EQ(sent.chunks(0).cuts(0).length(), 1500000u);
}

TEST_F(RuleC9Reaper, AnOrphanAlsoLosesTheChunksBehindItsLastCut) {
  MakeOrphan(100, 1);
  v1::TrimRecord trim;
  trim.set_generation(4);
  AddRun(*trim.mutable_runs(), 1, 3);
  state_.Put(schema::TrimKey(InodeId(100)), trim);
  Run();
  std::set<uint32_t> whole;
  for (const auto& sent : remover_.sent) {
    if (!sent.request.whole()) continue;
    for (const v1::ChunkAddress& chunk : sent.request.chunks()) whole.insert(chunk.index());
  }
  EXPECT_EQ(whole, (std::set<uint32_t>{0, 1, 2}));
}

TEST_F(ReaperTest, ChunksAreSoughtWhereClientsPutThem) {
  MakeOrphan(100, 50);
  Run();
  const v1::Pool& pool = *Map()->FindPool(PoolId(1));
  v1::Layout layout;
  layout.set_seed(100 * 7919);
  for (const auto& sent : remover_.sent) {
    for (const v1::ChunkAddress& chunk : sent.request.chunks()) {
      const uint64_t expected =
          pool.first_group() + (MixBits(layout.seed()) + chunk.index()) % pool.group_count();
      EXPECT_EQ(chunk.group(), expected);
    }
  }
}

}  // namespace
}  // namespace cairn

#include "metaserver/cluster/health.h"

#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class HealthTest : public ClusterFixture {
 protected:
  std::vector<v1::HealthItem> Items() {
    return DiagnoseCluster(*Map(), LookAtServers(*Map(), *registry_),
                           LookAtShape(*Map(), *registry_, clock_.WallNow()));
  }
  std::vector<std::string> Codes() {
    std::vector<std::string> codes;
    for (const v1::HealthItem& item : Items()) codes.push_back(item.code());
    return codes;
  }
  std::string TextOf(const std::string& code) {
    for (const v1::HealthItem& item : Items()) {
      if (item.code() == code) return item.text();
    }
    return "";
  }
  void BeatWith(uint32_t server, const std::function<void(v1::HeartbeatRequest&)>& set) {
    v1::HeartbeatRequest request;
    request.set_server(server);
    request.set_incarnation(servers_[server].incarnation);
    request.set_total_bytes(1000);
    request.set_available_bytes(900);
    set(request);
    ASSERT_THAT(membership_->Heartbeat(request), IsOk());
  }
};

TEST_F(HealthTest, NothingIsWrongWithAnEmptyOrAWholeCluster) {
  EXPECT_THAT(Codes(), IsEmpty());
  Found(3);
  EXPECT_THAT(Codes(), IsEmpty());
  for (const uint32_t server : {1u, 2u, 3u}) ASSERT_THAT(Join(server), IsOk());
  EXPECT_THAT(Codes(), IsEmpty());
  Pass(7s);
  ASSERT_THAT(Ensure(), IsOk());
  EXPECT_THAT(Codes(), IsEmpty());
}

TEST_F(HealthTest, OneServerDownIsFewerCopies) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  EXPECT_THAT(Codes(), UnorderedElementsAre("CHUNKSERVER_DOWN", "UNDER_REPLICATED"));
  EXPECT_THAT(TextOf("UNDER_REPLICATED"), HasSubstr("chunkserver 2 is away"));
}

TEST_F(HealthTest, ACatchingUpServerIsNamedAsTheReason) {
  Build(3, 3);
  ASSERT_THAT(Restart(2), IsOk());
  Look();
  EXPECT_THAT(Codes(), UnorderedElementsAre("UNDER_REPLICATED"));
  EXPECT_THAT(TextOf("UNDER_REPLICATED"), HasSubstr("chunkserver 2 is catching up"));
}

TEST_F(HealthTest, TwoOfThreeDownIsTheLastCopy) {
  Build(3, 3);
  Kill(2);
  Kill(3);
  Pass(5s);
  EXPECT_THAT(Codes(), UnorderedElementsAre("CHUNKSERVER_DOWN", "CHUNKSERVER_DOWN", "LAST_COPY",
                                            "UNDER_REPLICATED"));
}

TEST_F(HealthTest, OneCopyByChoiceIsNotALastCopy) {
  Build(2, 1);
  EXPECT_THAT(Codes(), IsEmpty());
}

// A group that moves has a member more until the move is over.
TEST_F(HealthTest, AMoveIsNoShortageOfCopies) {
  Build(3, 1);
  v1::PlacementGroup group = Group(1);
  const uint32_t to = group.members(0).server() % 3 + 1;
  group.set_epoch(group.epoch() + 1);
  group.add_members()->set_server(to);
  group.mutable_members(1)->set_state(v1::MEMBER_SYNCING);
  state_.Put(schema::GroupKey(PgId(1)), group);
  maps_->Invalidate();
  EXPECT_THAT(Codes(), IsEmpty());
}

TEST_F(HealthTest, AMemberThatIsMissingWithoutAReplacementIsAShortage) {
  Build(3, 3);
  v1::PlacementGroup group = Group(1);
  group.mutable_members()->RemoveLast();
  state_.Put(schema::GroupKey(PgId(1)), group);
  maps_->Invalidate();
  EXPECT_THAT(Codes(), UnorderedElementsAre("UNDER_REPLICATED"));
  EXPECT_EQ(TextOf("UNDER_REPLICATED"),
            "fewer copies than wanted: it waits for its turn (1 groups)");
}

TEST_F(HealthTest, AllDownIsLost) {
  Build(3, 3);
  for (const uint32_t server : {1u, 2u, 3u}) Kill(server);
  Pass(5s);
  EXPECT_THAT(Codes(), UnorderedElementsAre("CHUNKSERVER_DOWN", "CHUNKSERVER_DOWN",
                                            "CHUNKSERVER_DOWN", "LOST"));
}

TEST_F(HealthTest, OneDiskOfSeveralThatIsAwayIsNotItsChunkserver) {
  Found(3);
  for (const uint32_t server : {1u, 2u, 3u, 4u}) ASSERT_THAT(Join(server), IsOk());
  v1::JoinRequest second = JoinRequestOf(2);
  second.set_chunkserver(1);
  ASSERT_THAT(JoinWith(second), IsOk());
  Pass(7s);
  ASSERT_THAT(Ensure(), IsOk());
  Kill(2);
  Pass(5s);
  EXPECT_THAT(Codes(), UnorderedElementsAre("DISK_DOWN", "UNDER_REPLICATED"));
  EXPECT_THAT(TextOf("DISK_DOWN"), HasSubstr("on host2: silent for"));
  EXPECT_THAT(TextOf("UNDER_REPLICATED"), HasSubstr("disk 2 of chunkserver 1 is away"));
  Kill(1);
  Pass(5s);
  const std::vector<v1::HealthItem> items = Items();
  const auto down = std::find_if(items.begin(), items.end(), [](const v1::HealthItem& item) {
    return item.code() == "CHUNKSERVER_DOWN";
  });
  ASSERT_NE(down, items.end());
  EXPECT_EQ(down->subject(), "chunkserver 1");
  EXPECT_THAT(down->text(), HasSubstr("2 disks, silent for"));
  EXPECT_THAT(Codes(), testing::Not(testing::Contains("DISK_DOWN")));
}

TEST_F(HealthTest, AMetaserverThatJustStartedSaysWhoIsAway) {
  Build(3, 3);
  RestartMetaserver();
  Kill(1);
  Pass(4s);
  EXPECT_THAT(Codes(), UnorderedElementsAre("CHUNKSERVER_DOWN", "UNDER_REPLICATED"));
}

TEST_F(HealthTest, DamageChecksumErrorsAndFullDisksAreTold) {
  Build(3, 3);
  BeatWith(1, [](v1::HeartbeatRequest& request) {
    request.set_checksum_errors(2);
    request.add_damaged()->set_inode(77);
  });
  BeatWith(2, [](v1::HeartbeatRequest& request) { request.set_available_bytes(0); });
  BeatWith(3, [](v1::HeartbeatRequest& request) { request.set_available_bytes(50); });
  EXPECT_THAT(Codes(), UnorderedElementsAre("LOST", "CHECKSUM_ERROR", "FULL"));
  // Of 1000 bytes.
  BeatWith(3, [](v1::HeartbeatRequest& request) { request.set_available_bytes(49); });
  BeatWith(2, [](v1::HeartbeatRequest& request) { request.set_available_bytes(1); });
  EXPECT_THAT(Codes(), UnorderedElementsAre("LOST", "CHECKSUM_ERROR", "NEAR_FULL", "NEAR_FULL"));
}

TEST_F(HealthTest, GroupsThatWereGivenUpAreLostAndNothingElseIsSaidOfThem) {
  Build(2, 1);
  const int had = ActiveGroups(1);
  Kill(1);
  Pass(5s);
  v1::Command command;
  command.mutable_remove_server()->set_server(1);
  command.mutable_remove_server()->set_give_up_groups(static_cast<uint32_t>(had));
  ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  EXPECT_THAT(Codes(), UnorderedElementsAre("LOST"));
  EXPECT_THAT(TextOf("LOST"), HasSubstr("given up"));
}

}  // namespace
}  // namespace cairn

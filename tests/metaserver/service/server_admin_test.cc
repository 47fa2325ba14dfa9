#include "metaserver/service/server_admin.h"

#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"
#include "tests/metaserver/cluster/fake_call.h"

namespace cairn {
namespace {

class ServerAdminTest : public ClusterFixture {
 protected:
  ServerAdminTest() {
    RegisterServerAdmin(dispatcher_, {&state_, maps_.get(), registry_.get(), &clock_});
  }
  Status Set(uint32_t server, v1::ServerState state, uint64_t maintenance_seconds = 0) {
    v1::SetServerRequest request;
    request.set_server(server);
    request.set_state(state);
    request.set_maintenance_seconds(maintenance_seconds);
    return internal::StatusOf(
        Ask<v1::SetServerResponse>(dispatcher_, v1::ADMIN_SET_SERVER, request));
  }
  Result<v1::RemoveServerResponse> GiveUp(uint32_t server, uint32_t groups) {
    v1::RemoveServerRequest request;
    request.set_server(server);
    request.set_give_up_groups(groups);
    return Ask<v1::RemoveServerResponse>(dispatcher_, v1::ADMIN_REMOVE_SERVER, request);
  }
  Status Remove(uint32_t server) { return internal::StatusOf(GiveUp(server, 0)); }
  Result<v1::StartScrubResponse> StartScrub(uint32_t server) {
    v1::StartScrubRequest request;
    request.set_server(server);
    return Ask<v1::StartScrubResponse>(dispatcher_, v1::ADMIN_START_SCRUB, request);
  }
  Status SkipGrace(uint32_t server) {
    v1::SkipGraceRequest request;
    request.set_server(server);
    return internal::StatusOf(
        Ask<v1::SkipGraceResponse>(dispatcher_, v1::ADMIN_SKIP_GRACE, request));
  }
  Result<v1::GetRepairResponse> GetRepair() {
    return Ask<v1::GetRepairResponse>(dispatcher_, v1::ADMIN_GET_REPAIR, v1::GetRepairRequest());
  }
  // "1 2 3": the sequences listed.
  std::string Events(uint64_t after, uint32_t limit) {
    v1::ListEventsRequest request;
    request.set_after(after);
    request.set_limit(limit);
    const auto answer = Ask<v1::ListEventsResponse>(dispatcher_, v1::ADMIN_LIST_EVENTS, request);
    if (!answer.has_value()) return answer.error().ToString();
    std::string text;
    for (const v1::EventRecord& event : answer->events()) {
      text += (text.empty() ? "" : " ") + std::to_string(event.sequence());
    }
    return text;
  }
  v1::ServerRecord Server(uint32_t id) { return *Map()->FindServer(ServerId(id)); }
  bool IsKnown(uint32_t id) { return Map()->FindServer(ServerId(id)) != nullptr; }

  Dispatcher dispatcher_;
};

TEST_F(ServerAdminTest, AServerIsDrainedAndTakenBackIntoService) {
  Build(3, 3);
  EXPECT_THAT(Set(2, v1::SERVER_DRAINING), IsOk());
  EXPECT_EQ(Server(2).state(), v1::SERVER_DRAINING);
  EXPECT_THAT(Set(2, v1::SERVER_IN_SERVICE), IsOk());
  EXPECT_EQ(Server(2).state(), v1::SERVER_IN_SERVICE);
}

TEST_F(ServerAdminTest, AMaintenanceTakesOneSecondToThirtyDays) {
  Build(3, 3);
  constexpr uint64_t kThirtyDays = 30ull * 24 * 3600;
  EXPECT_THAT(Set(2, v1::SERVER_MAINTENANCE, 0), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Set(2, v1::SERVER_MAINTENANCE, kThirtyDays + 1),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Server(2).state(), v1::SERVER_IN_SERVICE);
  EXPECT_THAT(Set(2, v1::SERVER_MAINTENANCE, 1), IsOk());
  EXPECT_THAT(Set(2, v1::SERVER_MAINTENANCE, kThirtyDays), IsOk());
  EXPECT_EQ(Server(2).state(), v1::SERVER_MAINTENANCE);
  EXPECT_EQ(Server(2).maintenance_until().seconds(),
            clock_.WallNow().seconds + static_cast<int64_t>(kThirtyDays));
  EXPECT_THAT(Set(2, v1::SERVER_IN_SERVICE), IsOk());
  EXPECT_FALSE(Server(2).has_maintenance_until());
}

TEST_F(ServerAdminTest, NothingIsDoneToServersThatAreNotThere) {
  Build(3, 3);
  EXPECT_THAT(Set(9, v1::SERVER_DRAINING), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Set(0, v1::SERVER_DRAINING), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Remove(9), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(SkipGrace(9), StatusIs(ErrorCode::kNotFound));
}

TEST_F(ServerAdminTest, AScrubIsOrderedOfOneServerOrOfAll) {
  Build(3, 3);
  const auto one = StartScrub(2);
  ASSERT_THAT(one, IsOk());
  ASSERT_EQ(one->orders_size(), 1);
  EXPECT_EQ(one->orders().at(2), 1u);
  EXPECT_EQ(Server(1).scrub_order(), 0u);
  EXPECT_EQ(Server(2).scrub_order(), 1u);
  const auto all = StartScrub(0);
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->orders_size(), 3);
  EXPECT_EQ(all->orders().at(2), 2u);
  EXPECT_EQ(Server(1).scrub_order(), 1u);
  EXPECT_EQ(MapSnapshot::AddressOf(Server(2)).scrub_order(), 2u) << "and the server hears of it";
  EXPECT_THAT(StartScrub(9), StatusIs(ErrorCode::kNotFound));
}

TEST_F(ServerAdminTest, AServerWithoutCopiesIsRemoved) {
  Build(3, 3);
  ASSERT_THAT(Join(4), IsOk());
  EXPECT_THAT(Remove(4), IsOk());
  EXPECT_FALSE(IsKnown(4));
  EXPECT_FALSE(state_.Has(schema::DiskKey("disk-4")));
}

TEST_F(ServerAdminTest, AServerThatIsUpIsDrainedFirst) {
  Build(3, 3);
  EXPECT_THAT(Remove(2), StatusIs(ErrorCode::kNotEmpty));
  EXPECT_TRUE(IsKnown(2));
  EXPECT_EQ(ActiveGroups(2), Groups());
}

TEST_F(ServerAdminTest, AServerGoneForGoodIsLetGoOfByGroupsThatHaveOtherCopies) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  EXPECT_THAT(Remove(2), IsOk());
  EXPECT_FALSE(IsKnown(2));
  for (const auto& [id, group] : Map()->groups) {
    EXPECT_EQ(FindMember(group, ServerId(2)), nullptr);
    EXPECT_TRUE(IsActivated(group));
  }
}

class RuleC3ServerAdmin : public ServerAdminTest {};

TEST_F(RuleC3ServerAdmin, AServerWithTheLastCopyIsNotRemoved) {
  Build(1, 1);
  Kill(1);
  Pass(60s);
  EXPECT_THAT(Remove(1), StatusIs(ErrorCode::kNotEmpty));
  EXPECT_TRUE(IsKnown(1));
}

TEST_F(RuleC3ServerAdmin, AServerThatMayHaveServedLastIsNotRemoved) {
  Build(3, 3);
  primaries_serve_ = false;
  Kill(2);
  Pass(5s);
  ASSERT_FALSE(IsActivated(Group(1)));
  EXPECT_THAT(Remove(2), StatusIs(ErrorCode::kNotEmpty));
  EXPECT_TRUE(IsKnown(2));
  EXPECT_NE(FindMember(Group(1), ServerId(2)), nullptr);
}

TEST_F(RuleC3ServerAdmin, AServerGoneForGoodTakesWithItWhatIsSpelledOut) {
  Build(2, 1);
  const int all = Groups();
  const auto had = static_cast<uint32_t>(ActiveGroups(1));
  Kill(1);
  Pass(5s);
  const Status refused = Remove(1);
  EXPECT_THAT(refused, StatusIs(ErrorCode::kNotEmpty));
  EXPECT_THAT(refused.message(), ::testing::HasSubstr(fmt::format("--give-up {}", had)));
  EXPECT_THAT(GiveUp(1, had - 1), StatusIs(ErrorCode::kNotEmpty));
  const auto removed = GiveUp(1, had);
  ASSERT_THAT(removed, IsOk());
  EXPECT_EQ(removed->lost_groups(), had);
  EXPECT_FALSE(IsKnown(1));
  EXPECT_EQ(ActiveGroups(2), all - static_cast<int>(had));
  EXPECT_EQ(GetRepair()->groups_size(), 0) << "nothing can be repaired any more";
  EXPECT_THAT(Ensure(), IsOk()) << "new files find room";
}

TEST_F(RuleC3ServerAdmin, NothingIsGivenUpOfAServerThatIsUp) {
  Build(2, 1);
  EXPECT_THAT(GiveUp(1, static_cast<uint32_t>(ActiveGroups(1))), StatusIs(ErrorCode::kNotEmpty));
  EXPECT_TRUE(IsKnown(1));
}

class RuleC1ServerAdmin : public ServerAdminTest {};

// It would serve for three seconds more what nobody knows to be its.
TEST_F(RuleC1ServerAdmin, NoLeaseIsGivenWhileAServerIsBeingGivenUp) {
  Build(2, 1);
  const auto had = static_cast<uint32_t>(ActiveGroups(1));
  Kill(1);
  Pass(5s);
  std::optional<Result<v1::HeartbeatResponse>> meanwhile;
  state_.on_propose = [&](const v1::Command& command) {
    if (!command.has_remove_server()) return;
    EXPECT_THAT(monitor_->Tick(), IsOk());  // which lets go of who is out of its groups
    meanwhile = Beat(1);
  };
  ASSERT_THAT(GiveUp(1, had), IsOk());
  ASSERT_TRUE(meanwhile.has_value());
  EXPECT_THAT(*meanwhile, StatusIs(ErrorCode::kUnavailable));
}

TEST_F(ServerAdminTest, SettingsAreKeptAndTold) {
  Build(3, 3);
  v1::SetSettingsRequest request;
  request.mutable_settings()->set_copy_bytes_per_second(123);
  ASSERT_THAT(Ask<v1::SetSettingsResponse>(dispatcher_, v1::ADMIN_SET_SETTINGS, request), IsOk());
  EXPECT_EQ(Map()->settings.copy_bytes_per_second(), 123u);
  EXPECT_EQ(GetRepair()->settings().copy_bytes_per_second(), 123u);
}

TEST_F(ServerAdminTest, GraceIsSkippedForServersThatAreAway) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  EXPECT_THAT(SkipGrace(1), IsOk());
  EXPECT_FALSE(registry_->SkipsGrace(ServerId(1)));
  EXPECT_FALSE(registry_->SkipsGrace(ServerId(2)));
  EXPECT_THAT(SkipGrace(0), IsOk());  // all that are away
  EXPECT_FALSE(registry_->SkipsGrace(ServerId(1)));
  EXPECT_TRUE(registry_->SkipsGrace(ServerId(2)));
  EXPECT_THAT(Restart(2), IsOk());
  EXPECT_THAT(Beat(2), IsOk());
  EXPECT_FALSE(registry_->SkipsGrace(ServerId(2)));
}

TEST_F(ServerAdminTest, OnlyTheLeaderSkipsGrace) {
  Build(3, 3);
  state_.serving_term = Term();
  EXPECT_THAT(SkipGrace(0), StatusIs(ErrorCode::kNotLeader));
}

TEST_F(ServerAdminTest, RepairIsToldWithWhatEachGroupWaitsFor) {
  Build(3, 3);
  EXPECT_EQ(GetRepair()->groups_size(), 0);
  EXPECT_FALSE(GetRepair()->has_repair());
  Kill(2);
  Pass(5s);
  v1::RepairRecord record;
  record.set_total_bytes(5);
  state_.Put(schema::RepairKey(), record);
  const auto repair = GetRepair();
  ASSERT_THAT(repair, IsOk());
  EXPECT_EQ(repair->repair().total_bytes(), 5u);
  ASSERT_EQ(repair->groups_size(), Groups());
  EXPECT_EQ(repair->groups(0).active(), 2u);
  EXPECT_THAT(repair->groups(0).waits(), ::testing::StartsWith("chunkserver 2 may be back"));
}

// Chunkservers speak to the leader alone.
TEST_F(ServerAdminTest, WhoDoesNotLeadTellsOnlyWhatIsRecordedOfARepair) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  v1::RepairRecord record;
  record.set_total_bytes(5);
  state_.Put(schema::RepairKey(), record);
  state_.serving_term = Term();
  const auto repair = GetRepair();
  ASSERT_THAT(repair, IsOk());
  EXPECT_EQ(repair->repair().total_bytes(), 5u);
  EXPECT_EQ(repair->groups_size(), 0);
}

TEST_F(ServerAdminTest, EventsAreListedInOrderFromWhereTheAskerIs) {
  Build(3, 3);
  EXPECT_EQ(Events(0, 0), "");
  v1::Command command;
  for (int i = 0; i < 12; ++i) command.mutable_note_repair()->add_events()->set_code("C");
  ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  EXPECT_EQ(Events(0, 0), "1 2 3 4 5 6 7 8 9 10 11 12");
  EXPECT_EQ(Events(9, 0), "10 11 12");
  EXPECT_EQ(Events(9, 2), "10 11");
  EXPECT_EQ(Events(12, 5), "");
}

TEST_F(ServerAdminTest, WhatIsNotCommittedIsNotAnsweredWithOk) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  state_.FailWith(Status(ErrorCode::kNotLeader, ""));
  EXPECT_THAT(Set(2, v1::SERVER_DRAINING), StatusIs(ErrorCode::kNotLeader));
  EXPECT_THAT(Remove(2), StatusIs(ErrorCode::kNotLeader));
  EXPECT_TRUE(IsKnown(2));
}

}  // namespace
}  // namespace cairn

// 'cairn server ...' but for drain --wait, and 'cairn disk ls'.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

class ServerVerbsTest : public FleetTest {};

TEST_F(ServerVerbsTest, WrongUsageExitsWithTwo) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"server"},
                                             {"server", "show"},
                                             {"server", "drain", "x"},
                                             {"server", "drain", "0"},
                                             {"server", "drain", "3", "--timeout", "5"},
                                             {"server", "undrain"},
                                             {"server", "remove"},
                                             {"server", "maintenance", "3"},
                                             {"server", "maintenance", "3", "--for", "30"},
                                             {"server", "maintenance", "3", "--for", "0s"},
                                             {"server", "maintenance", "3", "--for", "31d"},
                                             {"server", "maintenance", "3", "--for", "721h"},
                                             {"disk"}}) {
    group_.on_set_server = [](const auto&) {
      ADD_FAILURE() << "asked";
      return OkStatus();
    };
    EXPECT_EQ(Ask(arguments), 2) << arguments.back();
    EXPECT_EQ(out_.str(), "");
  }
}

TEST_F(ServerVerbsTest, LsHasOneRowForEachServer) {
  AddServer(3);
  AddServer(4);
  ChangeServerOf(4, [](auto& server) {
    server.set_rack("r1");
    server.set_up(false);
    server.set_silent_ms(3240);
    server.set_syncing_groups(2);
    server.set_primary_groups(1);
    server.set_checksum_errors(5);
  });
  EXPECT_EQ(Ask({"server", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("SERVER  STATE"));
  EXPECT_THAT(out_.str(), HasSubstr("3       up            1      stone3  -     10.0.0.3:7410  "
                                    "4.0 GiB  10.0 GiB  4       0        0      0\n"));
  EXPECT_THAT(out_.str(), HasSubstr("4       silent 3.2 s  1      stone4  r1    10.0.0.4:7410  "
                                    "4.0 GiB  10.0 GiB  4       2        1      5\n"));
  EXPECT_EQ(Ask({"server", "ls", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"from_leader\":true,\"servers\":[{\"server\":3,"));
}

TEST_F(ServerVerbsTest, StateHasItsOwnWordsAndAnEndedMaintenanceIsNone) {
  for (uint32_t id = 3; id <= 6; ++id) AddServer(id);
  const int64_t now = SystemClock().WallNow().seconds;
  ChangeServerOf(3, [](auto& server) { server.set_state(v1::SERVER_DRAINING); });
  ChangeServerOf(4, [&](auto& server) {
    server.set_state(v1::SERVER_MAINTENANCE);
    server.mutable_maintenance_until()->set_seconds(now + 1000);
    server.set_up(false);
    server.set_silent_ms(1000);
  });
  ChangeServerOf(5, [&](auto& server) {
    server.set_state(v1::SERVER_MAINTENANCE);
    server.mutable_maintenance_until()->set_seconds(now - 1);
  });
  for (const char* verb : {"server", "status"}) {
    EXPECT_EQ(std::string(verb) == "server" ? Ask({"server", "ls"}) : Ask({"status"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("draining  "));
    EXPECT_THAT(out_.str(), HasSubstr("maintenance until 20"));
    EXPECT_THAT(out_.str(), HasSubstr(", silent 1.0 s"));
    EXPECT_THAT(out_.str(), testing::ContainsRegex("5 .*up  "));
  }
}

TEST_F(ServerVerbsTest, ShowTellsOneServerAndExitsWithThreeWhenThereIsNone) {
  AddServer(3);
  ChangeServerOf(3, [](auto& server) { server.set_primary_groups(2); });
  EXPECT_EQ(Ask({"server", "show", "3"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("state       up\n"));
  EXPECT_THAT(out_.str(), HasSubstr("disk        4.0 GiB of 10.0 GiB used (40 %)\n"));
  EXPECT_THAT(out_.str(), HasSubstr("groups      4 active, 0 syncing, leads 2\n"));
  EXPECT_EQ(Ask({"server", "show", "3", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"server\":3,"));
  EXPECT_EQ(Ask({"server", "show", "9"}), 3);
  EXPECT_EQ(err_.str(), "cairn: there is no server 9\n");
}

TEST_F(ServerVerbsTest, WithoutALeaderLsShowAndDiskExitWithFiveWithinTwoSeconds) {
  LoseLeader();
  for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
           {"server", "ls"}, {"server", "show", "3"}, {"disk", "ls"}}) {
    const Deadline limit = Deadline::After(2900ms);  // 1.3 s if the machine has nothing else to do
    EXPECT_EQ(Ask(verb), 5);
    EXPECT_FALSE(limit.Passed());
    EXPECT_THAT(err_.str(), HasSubstr("only a leader hears the chunkservers"));
  }
}

TEST_F(ServerVerbsTest, WhatAFollowerSaysOfServersIsNotTakenForHeard) {
  LoseLeader();
  group_.Change(1, [](FakeMember& member) {
    member.says.set_applied_index(200);
    ServerOf(member, 3).set_server(3);
  });
  EXPECT_EQ(Ask({"server", "ls"}), 0);
  EXPECT_EQ(Word(out_.str(), 1, 1), "?");
  EXPECT_EQ(Ask({"server", "ls", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"from_leader\":false,"));
}

TEST_F(ServerVerbsTest, EachChangeOfStateAsksForIt) {
  for (uint32_t id = 3; id <= 5; ++id) AddServer(id);
  std::vector<v1::SetServerRequest> asked;
  group_.on_set_server = [&](const auto& request) {
    asked.push_back(request);
    return OkStatus();
  };
  EXPECT_EQ(Ask({"server", "drain", "3"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3 is draining\n");
  EXPECT_EQ(Ask({"server", "undrain", "4"}), 0);
  EXPECT_EQ(out_.str(), "server 4 is in service\n");
  EXPECT_EQ(Ask({"server", "maintenance", "5", "--for", "30d"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("server 5 is in maintenance for 30d, until about 20"));
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].server(), 3u);
  EXPECT_EQ(asked[0].state(), v1::SERVER_DRAINING);
  EXPECT_EQ(asked[1].server(), 4u);
  EXPECT_EQ(asked[1].state(), v1::SERVER_IN_SERVICE);
  EXPECT_EQ(asked[2].state(), v1::SERVER_MAINTENANCE);
  EXPECT_EQ(asked[2].maintenance_seconds(), 30u * 86400);
  EXPECT_EQ(Ask({"server", "drain", "3", "--json"}), 0);
  EXPECT_EQ(out_.str(),
            "{\"server\":3,\"state\":\"SERVER_DRAINING\",\"maintenance_seconds\":\"0\"}\n");
}

TEST_F(ServerVerbsTest, AnAbsentServerExitsWithThree) {
  AddServer(3);
  EXPECT_EQ(Ask({"server", "drain", "9", "--wait"}), 3);
  EXPECT_EQ(Ask({"server", "undrain", "9"}), 3);
  EXPECT_EQ(Ask({"server", "maintenance", "9", "--for", "1h"}), 3);
  EXPECT_EQ(err_.str(), "cairn: there is no server 9\n");
}

TEST_F(ServerVerbsTest, RemoveTellsTheRefusalOfTheServerAndExitsWithSix) {
  AddServer(3);
  group_.on_remove_server = [](const v1::RemoveServerRequest& request) {
    EXPECT_EQ(request.server(), 3u);
    return Status(ErrorCode::kNotEmpty, "server 3 keeps copies of 4 placement groups");
  };
  EXPECT_EQ(Ask({"server", "remove", "3"}), 6);
  EXPECT_EQ(err_.str(), "cairn: server 3 keeps copies of 4 placement groups\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ServerVerbsTest, RemoveSaysThatItIsGone) {
  AddServer(3);
  EXPECT_EQ(Ask({"server", "remove", "3"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3 is out of the cluster; its process may be stopped\n");
  EXPECT_EQ(Ask({"server", "remove", "3", "--json"}), 0);
  EXPECT_EQ(out_.str(), "{\"removed\":3,\"lost_groups\":0,\"doubted_groups\":0}\n");
}

TEST_F(ServerVerbsTest, RemoveTellsWhatWasGivenUp) {
  AddServer(3);
  uint32_t given_up = 0;
  group_.on_remove_server = [&](const v1::RemoveServerRequest& request) {
    given_up = request.give_up_groups();
    return OkStatus();
  };
  group_.removed.set_lost_groups(5);
  group_.removed.set_doubted_groups(2);
  EXPECT_EQ(Ask({"server", "remove", "3", "--give-up", "7"}), 0) << err_.str();
  EXPECT_EQ(given_up, 7u);
  EXPECT_THAT(out_.str(), HasSubstr("5 placement groups are lost"));
  EXPECT_THAT(out_.str(), HasSubstr("2 placement groups go on once their other copies are back"));
}

TEST_F(ServerVerbsTest, RemoveWhoseAnswerWasLostIsDoneIfTheServerIsGone) {
  AddServer(3);
  group_.on_remove_server = [tries = 0](const auto&) mutable {
    return ++tries == 1 ? Status(ErrorCode::kUnavailable, "lost its office")
                        : Status(ErrorCode::kNotFound, "there is no server 3");
  };
  EXPECT_EQ(Ask({"server", "remove", "3"}), 0) << err_.str();
  EXPECT_EQ(Ask({"server", "remove", "3"}), 3);
}

}  // namespace
}  // namespace cairn

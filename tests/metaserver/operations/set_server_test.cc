#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class SetServerTest : public GroupsTest {
 protected:
  Code Set(uint32_t server, v1::ServerState state, int64_t until = 0) {
    v1::Command command;
    command.mutable_set_server()->set_server(server);
    command.mutable_set_server()->set_state(state);
    command.mutable_set_server()->mutable_maintenance_until()->set_seconds(until);
    return fs_.Run(command);
  }
  v1::ServerRecord Server(uint32_t id) {
    return *fs_.Find<v1::ServerRecord>(schema::ServerKey(ServerId(id)));
  }
};
CAIRN_OVER_BOTH_STORES(SetServerTest);

TEST_P(SetServerTest, TheStateIsKeptAndTheMapMovesOn) {
  Join("a", 1);
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Set(1, v1::SERVER_DRAINING), Code::kOk);
  EXPECT_EQ(Server(1).state(), v1::SERVER_DRAINING);
  EXPECT_EQ(Server(1).disk_uuid(), "a");
  EXPECT_EQ(fs_.State().map_version(), version + 1);
}

TEST_P(SetServerTest, OnlyAMaintenanceHasAnEnd) {
  Join("a", 1);
  EXPECT_EQ(Set(1, v1::SERVER_MAINTENANCE, 77), Code::kOk);
  EXPECT_EQ(Server(1).maintenance_until().seconds(), 77);
  EXPECT_EQ(Set(1, v1::SERVER_IN_SERVICE, 88), Code::kOk);
  EXPECT_FALSE(Server(1).has_maintenance_until());
}

TEST_P(SetServerTest, ARestartKeepsTheState) {
  Join("a", 1);
  ASSERT_EQ(Set(1, v1::SERVER_MAINTENANCE, 77), Code::kOk);
  Join("a", 2);
  EXPECT_EQ(Server(1).incarnation(), 2u);
  EXPECT_EQ(Server(1).state(), v1::SERVER_MAINTENANCE);
  EXPECT_EQ(Server(1).maintenance_until().seconds(), 77);
}

TEST_P(SetServerTest, UnknownServersAndStatesAreRefused) {
  Join("a", 1);
  EXPECT_EQ(Set(2, v1::SERVER_DRAINING), Code::kNotFound);
  EXPECT_EQ(Set(1, static_cast<v1::ServerState>(9)), Code::kInvalidArgument);
  EXPECT_EQ(Server(1).state(), v1::SERVER_IN_SERVICE);
}

}  // namespace

}  // namespace cairn::testing

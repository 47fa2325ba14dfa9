#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class StartScrubTest : public GroupsTest {
 protected:
  StartScrubTest() {
    Join("a", 1);
    Join("b", 1);
  }

  Code Start(uint32_t server) {
    v1::Command command;
    command.mutable_start_scrub()->set_server(server);
    return fs_.Run(command);
  }
  uint64_t OrderOf(uint32_t server) {
    return fs_.Find<v1::ServerRecord>(schema::ServerKey(ServerId(server)))->scrub_order();
  }
};
CAIRN_OVER_BOTH_STORES(StartScrubTest);

TEST_P(StartScrubTest, OneServerOrAllOfThemGetTheNextOrder) {
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Start(1), Code::kOk);
  EXPECT_EQ(OrderOf(1), 1u);
  EXPECT_EQ(OrderOf(2), 0u);
  EXPECT_EQ(Start(0), Code::kOk);
  EXPECT_EQ(OrderOf(1), 2u);
  EXPECT_EQ(OrderOf(2), 1u);
  EXPECT_EQ(fs_.State().map_version(), version + 2);
}

TEST_P(StartScrubTest, AServerThatNeverJoinedIsRefused) {
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Start(3), Code::kNotFound);
  EXPECT_EQ(fs_.State().map_version(), version);
}

TEST_P(StartScrubTest, ARestartKeepsTheOrder) {
  Start(1);
  Join("a", 2);
  EXPECT_EQ(OrderOf(1), 1u);
}

}  // namespace

}  // namespace cairn::testing

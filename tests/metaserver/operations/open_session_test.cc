#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class OpenSessionTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(OpenSessionTest);

TEST_P(OpenSessionTest, TheSameClientGetsItsSessionAgain) {
  const uint64_t session = fs_.OpenSession("mount");
  EXPECT_EQ(fs_.OpenSession("mount"), session);
  EXPECT_NE(fs_.OpenSession("other"), session);
}

TEST_P(OpenSessionTest, OneUserHasSoManyMountsAndNoMore) {
  v1::Command command;
  v1::OpenSessionCommand& open = *command.mutable_open_session();
  open.set_user(1000);
  for (int mount = 0; mount < 64; ++mount) {
    open.set_client_id("mount" + std::to_string(mount));
    ASSERT_EQ(fs_.Run(command), Code::kOk);
  }
  EXPECT_EQ(fs_.Run(command), Code::kOk);  // one that is there already
  open.set_client_id("one more");
  EXPECT_EQ(fs_.Run(command), Code::kBusy);
  open.set_user(1001);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  open.clear_user();
  open.set_client_id("root's");
  EXPECT_EQ(fs_.Run(command), Code::kOk);
}

TEST_P(OpenSessionTest, OversizedTextsAreRefused) {
  v1::Command command;
  EXPECT_EQ(fs_.OpenSession(""), 0u);
  command.mutable_open_session()->set_client_id(std::string(257, 'c'));
  EXPECT_EQ(fs_.Run(command), Code::kInvalidArgument);
  command.mutable_open_session()->set_client_id("c");
  command.mutable_open_session()->set_host(std::string(256, 'h'));
  EXPECT_EQ(fs_.Run(command), Code::kTooLarge);
}

}  // namespace

}  // namespace cairn::testing

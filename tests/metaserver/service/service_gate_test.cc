#include "metaserver/service/service_gate.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_call.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {
namespace {

class ServiceGateTest : public ::testing::Test {
 protected:
  ServiceGateTest() {
    for (const v1::Method method :
         {v1::ADMIN_GET_STATUS, v1::CLUSTER_JOIN, v1::METADATA_LOOKUP,
          v1::METADATA_FIND_LEADER}) {
      services_.HandleRaw(method, [](std::shared_ptr<ServerCall> call) {
        call->Reply(v1::Hello(), {});
      });
    }
  }
  void Bear() {
    v1::Command command;
    command.mutable_found_cluster()->set_cluster_id("c1");
    command.mutable_found_cluster()->set_copies(1);
    ASSERT_TRUE(state_.ProposeAndWait(std::move(command)).has_value());
  }
  Status Try(v1::Method method) {
    const auto call = std::make_shared<FakeCall>("", peer_);
    gate_.Dispatch(method, call);
    return call->status;
  }

  FakeState state_;
  PeerIdentity peer_;
  Dispatcher services_;
  Dispatcher gate_ = MakeServiceGate(services_, state_);
};

TEST_F(ServiceGateTest, AnUnbornServerAnswersAdminOnly) {
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), IsOk());
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP).message(), ::testing::HasSubstr("not founded"));
}

TEST_F(ServiceGateTest, ABornServerAnswersEverythingItHandles) {
  Bear();
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), IsOk());
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), IsOk());
  EXPECT_THAT(Try(v1::METADATA_CREATE), StatusIs(ErrorCode::kUnimplemented));
}

TEST_F(ServiceGateTest, OneThatDoesNotLeadSendsElsewhereAndStillTellsOfItself) {
  Bear();
  state_.serving_term = Term();
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), StatusIs(ErrorCode::kNotLeader));
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kNotLeader));
  EXPECT_THAT(Try(v1::METADATA_FIND_LEADER), IsOk());
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), IsOk());
}

TEST_F(ServiceGateTest, AnOrdinaryUserOfTheHostGetsTheNamespaceOnly) {
  Bear();
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), IsOk());
  EXPECT_THAT(Try(v1::METADATA_FIND_LEADER), IsOk());
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(Try(v1::RAFT_STEP), StatusIs(ErrorCode::kPermission));
  peer_.uid = 0;
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), IsOk());
}

}  // namespace
}  // namespace cairn

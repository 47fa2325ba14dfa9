#include "metaserver/service/service_gate.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_call.h"

namespace cairn {
namespace {

class ServiceGateTest : public ::testing::Test {
 protected:
  ServiceGateTest() {
    for (const v1::Method method :
         {v1::ADMIN_GET_STATUS, v1::CLUSTER_JOIN, v1::METADATA_LOOKUP}) {
      services_.HandleRaw(method, [](std::shared_ptr<ServerCall> call) {
        call->Reply(v1::Hello(), {});
      });
    }
  }
  Status Try(v1::Method method) {
    const auto call = std::make_shared<FakeCall>("", peer_);
    gate_.Dispatch(method, call);
    return call->status;
  }

  bool born_ = false;
  PeerIdentity peer_;
  Dispatcher services_;
  Dispatcher gate_ = MakeServiceGate(services_, [this] { return born_; });
};

TEST_F(ServiceGateTest, AnUnbornServerAnswersAdminOnly) {
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), IsOk());
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP).message(), ::testing::HasSubstr("not founded"));
}

TEST_F(ServiceGateTest, ABornServerAnswersEverythingItHandles) {
  born_ = true;
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), IsOk());
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), IsOk());
  EXPECT_THAT(Try(v1::METADATA_CREATE), StatusIs(ErrorCode::kUnimplemented));
}

TEST_F(ServiceGateTest, AnOrdinaryUserOfTheHostGetsTheNamespaceOnly) {
  born_ = true;
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), IsOk());
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), StatusIs(ErrorCode::kPermission));
  peer_.uid = 0;
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), IsOk());
}

}  // namespace
}  // namespace cairn

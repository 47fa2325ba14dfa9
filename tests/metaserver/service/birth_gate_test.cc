#include "metaserver/service/birth_gate.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_call.h"

namespace cairn {
namespace {

class BirthGateTest : public ::testing::Test {
 protected:
  BirthGateTest() {
    for (const v1::Method method :
         {v1::ADMIN_GET_STATUS, v1::CLUSTER_JOIN, v1::METADATA_LOOKUP}) {
      services_.HandleRaw(method, [](std::shared_ptr<ServerCall> call) {
        call->Reply(v1::Hello(), {});
      });
    }
  }
  Status Try(v1::Method method) {
    const auto call = std::make_shared<FakeCall>();
    gate_.Dispatch(method, call);
    return call->status;
  }

  bool born_ = false;
  Dispatcher services_;
  Dispatcher gate_ = MakeBirthGate(services_, [this] { return born_; });
};

TEST_F(BirthGateTest, AnUnbornServerAnswersAdminOnly) {
  EXPECT_THAT(Try(v1::ADMIN_GET_STATUS), IsOk());
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Try(v1::METADATA_LOOKUP).message(), ::testing::HasSubstr("not founded"));
}

TEST_F(BirthGateTest, ABornServerAnswersEverythingItHandles) {
  born_ = true;
  EXPECT_THAT(Try(v1::CLUSTER_JOIN), IsOk());
  EXPECT_THAT(Try(v1::METADATA_LOOKUP), IsOk());
  EXPECT_THAT(Try(v1::METADATA_CREATE), StatusIs(ErrorCode::kUnimplemented));
}

}  // namespace
}  // namespace cairn

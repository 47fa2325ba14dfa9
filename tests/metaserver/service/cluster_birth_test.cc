#include "metaserver/service/cluster_birth.h"

#include "tests/common/temporary_directory.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

class ClusterBirthTest : public ClusterFixture {
 protected:
  void SetUp() override {
    auto opened = DataDirectory::Open(PosixFiles(), place_ / "meta", kMetaserverRole, "boot");
    ASSERT_THAT(opened, IsOk());
    directory_ = *std::move(opened);
  }
  Status Bear(const std::string& id, uint32_t copies = 3, uint32_t min_active = 0) {
    v1::FoundClusterRequest request;
    request.set_cluster_id(id);
    request.set_copies(copies);
    request.set_min_active(min_active);
    std::optional<Status> status;
    FoundCluster({&state_, maps_.get(), directory_.get(), [this] { ++births_; }}, request,
                 [&](Status result) { status = std::move(result); });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }

  TemporaryDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
  int births_ = 0;
};

TEST_F(ClusterBirthTest, AClusterIsBornOnce) {
  ASSERT_THAT(Bear("one"), IsOk());
  EXPECT_EQ(directory_->identity().cluster_id, "one");
  EXPECT_EQ(births_, 1);
  EXPECT_THAT(Bear("one"), IsOk());
  EXPECT_EQ(births_, 1);
  EXPECT_THAT(Bear("two"), StatusIs(ErrorCode::kWrongCluster));
}

TEST_F(ClusterBirthTest, MostCopiesMustBeThereToWriteByDefault) {
  ASSERT_THAT(Bear("one", 3), IsOk());
  EXPECT_EQ(Map()->FindPool(PoolId(0))->min_active(), 2u);
}

TEST_F(ClusterBirthTest, ARequestThatMakesNoClusterIsRefused) {
  EXPECT_THAT(Bear(""), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Bear("a b"), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Bear("one", 0), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Bear("one", 100), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Bear("one", 2, 3), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(state_.IsBorn());
  EXPECT_FALSE(directory_->has_identity());
}

TEST_F(ClusterBirthTest, ADirectoryOfAnotherClusterIsNotTakenOver) {
  ASSERT_THAT(directory_->SetIdentity("old", ServerId(1)), IsOk());
  EXPECT_THAT(Bear("new"), StatusIs(ErrorCode::kWrongCluster));
  EXPECT_FALSE(state_.IsBorn());
  EXPECT_THAT(Bear("old"), IsOk());
}

TEST_F(ClusterBirthTest, ACrashBetweenStateAndIdentityIsHealed) {
  ASSERT_THAT(Bear("one"), IsOk());
  auto other = DataDirectory::Open(PosixFiles(), place_ / "fresh", kMetaserverRole, "boot");
  ASSERT_THAT(AdoptIdentity(*Map(), **other), IsOk());
  EXPECT_EQ((*other)->identity().cluster_id, "one");
}

}  // namespace
}  // namespace cairn

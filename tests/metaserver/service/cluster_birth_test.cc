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
    ASSERT_THAT(directory_->SetIdentity("one", ServerId(1)), IsOk());
  }
  Status Bear(const std::string& id, uint32_t copies = 3, uint32_t min_active = 0) {
    v1::FoundClusterRequest request;
    request.set_cluster_id(id);
    request.set_copies(copies);
    request.set_min_active(min_active);
    std::optional<Status> status;
    FoundCluster({&state_, maps_.get(), directory_.get(), [] { return raft::Membership(); }},
                 request, [&](Status result) { status = std::move(result); });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }

  TemporaryDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
};

TEST_F(ClusterBirthTest, AClusterIsBornOnce) {
  ASSERT_THAT(Bear("one"), IsOk());
  EXPECT_TRUE(state_.IsBorn());
  EXPECT_THAT(Bear("one"), IsOk());
  EXPECT_EQ(state_.proposals(), 1);
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
}

TEST_F(ClusterBirthTest, OneThatWasAdoptedForAnotherClusterIsNotTakenOver) {
  EXPECT_THAT(Bear("new"), StatusIs(ErrorCode::kWrongCluster));
  EXPECT_FALSE(state_.IsBorn());
}

TEST_F(ClusterBirthTest, OneThatNobodyAdoptedFoundsNothing) {
  auto other = DataDirectory::Open(PosixFiles(), place_ / "fresh", kMetaserverRole, "boot");
  ASSERT_THAT(other, IsOk());
  directory_ = *std::move(other);
  EXPECT_THAT(Bear("one"), StatusIs(ErrorCode::kNotLeader));
}

TEST_F(ClusterBirthTest, AStateOfAnotherClusterThanItsDirectoryIsNoticed) {
  ASSERT_THAT(Bear("one"), IsOk());
  EXPECT_THAT(CheckIdentity(*Map(), *directory_), IsOk());
  auto other = DataDirectory::Open(PosixFiles(), place_ / "other", kMetaserverRole, "boot");
  ASSERT_THAT((*other)->SetIdentity("two", ServerId(1)), IsOk());
  EXPECT_THAT(CheckIdentity(*Map(), **other), StatusIs(ErrorCode::kWrongCluster));
}

}  // namespace
}  // namespace cairn

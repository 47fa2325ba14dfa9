#include "metaserver/service/layout_admin.h"

#include <sys/stat.h>

#include "metaserver/store/rows.h"
#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"
#include "tests/metaserver/cluster/fake_call.h"

namespace cairn {
namespace {

using ::testing::HasSubstr;

constexpr InodeId kDirectory{7};

class LayoutAdminTest : public ClusterFixture {
 protected:
  LayoutAdminTest() { RegisterLayoutAdmin(dispatcher_, {&state_, maps_.get(), registry_.get()}); }
  void SetUp() override {
    Build(3, 3);
    v1::InodeRecord directory;
    directory.mutable_attributes()->set_inode(kDirectory.value);
    directory.mutable_attributes()->set_mode(S_IFDIR | 0755);
    state_.Put(schema::InodeKey(kDirectory), directory);
    v1::DentryRecord entry;
    entry.set_inode(kDirectory.value);
    entry.set_name("dir");
    state_.Put(schema::DentryKey(kRootInode, "dir"), entry);
  }
  Status Send(const v1::SetLayoutRequest& request) {
    return internal::StatusOf(
        Ask<v1::SetLayoutResponse>(dispatcher_, v1::ADMIN_SET_LAYOUT, request));
  }
  Status SetCopies(uint32_t copies) {
    v1::SetLayoutRequest request;
    request.set_inode(kDirectory.value);
    request.set_copies(copies);
    return Send(request);
  }
  v1::LayoutPolicy Policy() {
    const auto record = LoadRow<v1::InodeRecord>(*state_.View(), schema::InodeKey(kDirectory));
    return (*record)->layout_policy();
  }

  Dispatcher dispatcher_;
};

TEST_F(LayoutAdminTest, APathOrAnInodeNamesTheDirectory) {
  EXPECT_THAT(SetCopies(2), IsOk());
  EXPECT_EQ(Policy().pool(), 2u);
  v1::SetLayoutRequest request;
  request.set_path("/dir");
  request.set_chunk_size(kMinChunkSize);
  EXPECT_THAT(Send(request), IsOk());
  EXPECT_EQ(Policy().pool(), 2u);
  EXPECT_EQ(Policy().chunk_size(), kMinChunkSize);
  request.clear_chunk_size();
  request.set_inherit(true);
  EXPECT_THAT(Send(request), IsOk());
  EXPECT_EQ(Policy().pool(), 0u);
  request.set_path("/nothing");
  EXPECT_THAT(Send(request), StatusIs(ErrorCode::kNotFound));
}

TEST_F(LayoutAdminTest, ANewPoolIsInTheMapAndGetsItsGroupsOnFirstUse) {
  ASSERT_THAT(SetCopies(1), IsOk());
  ASSERT_NE(Map()->FindPool(PoolId(2)), nullptr);
  EXPECT_EQ(Map()->FindPool(PoolId(2))->group_count(), 0u);
  Status ensured(ErrorCode::kInternal, "no answer");
  resources_->Ensure(PoolId(2), [&](const Status& status) { ensured = status; });
  EXPECT_THAT(ensured, IsOk());
  EXPECT_EQ(Map()->FindPool(PoolId(2))->group_count(), 3 * 64u);
  EXPECT_EQ(Map()->FindPool(PoolId(1))->group_count(), 64u);
}

TEST_F(LayoutAdminTest, MoreCopiesThanServersInServiceAreRefused) {
  EXPECT_THAT(SetCopies(4), StatusIs(ErrorCode::kInvalidArgument));
  Kill(2);
  Pass(8s);
  const Status status = SetCopies(3);
  EXPECT_THAT(status, StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(status.message(), HasSubstr("3 copies need 3 chunkservers, 2 are in service"));
  EXPECT_THAT(SetCopies(2), IsOk());
  v1::Command drain;
  drain.mutable_set_server()->set_server(1);
  drain.mutable_set_server()->set_state(v1::SERVER_DRAINING);
  ASSERT_THAT(StatusOfPropose(std::move(drain)), IsOk());
  EXPECT_THAT(SetCopies(2), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SetCopies(1), IsOk());
  EXPECT_THAT(SetCopies(10), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(LayoutAdminTest, OnlyTheLeaderKnowsWhoIsInService) {
  state_.serving_term = Term();
  EXPECT_THAT(SetCopies(2), StatusIs(ErrorCode::kNotLeader));
}

TEST_F(LayoutAdminTest, WhatIsNotCommittedIsNotAnsweredWithOk) {
  state_.FailWith(Status(ErrorCode::kNotLeader, ""));
  EXPECT_THAT(SetCopies(2), StatusIs(ErrorCode::kNotLeader));
  EXPECT_EQ(Policy().pool(), 0u);
}

}  // namespace
}  // namespace cairn

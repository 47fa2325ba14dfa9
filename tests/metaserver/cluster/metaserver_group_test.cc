#include "metaserver/cluster/metaserver_group.h"

#include "absl/synchronization/notification.h"
#include "tests/common/temporary_directory.h"
#include "tests/metaserver/cluster/cluster_fixture.h"
#include "tests/raft/node_group.h"

namespace cairn {
namespace {

v1::MetaserverMember MemberAt(uint32_t server, uint32_t port) {
  v1::MetaserverMember member;
  member.set_server(server);
  for (v1::Endpoint* endpoint :
       {member.mutable_address()->mutable_frames(), member.mutable_address()->mutable_grpc()}) {
    endpoint->set_host("127.0.0.1");
    endpoint->set_port(port++);
  }
  return member;
}

class MetaserverGroupTest : public ClusterFixture {
 protected:
  void SetUp() override {
    auto opened = DataDirectory::Open(PosixFiles(), place_ / "meta", kMetaserverRole, "boot");
    ASSERT_THAT(opened, IsOk());
    directory_ = *std::move(opened);
    nodes_.AddUnborn(1);
    group_ = std::make_unique<MetaserverGroup>(MetaserverGroupParts{
        &nodes_.node(1), &state_, directory_.get(), &channels_, [this] { ++adoptions_; }});
  }
  void Lead() {
    ASSERT_THAT(group_->Adopt(Adoption("c1", 1)), IsOk());
    nodes_.StartAll();
    ASSERT_EQ(nodes_.Leader(), 1);
  }
  v1::AdoptMetaserverRequest Adoption(const std::string& cluster, uint32_t server) {
    v1::AdoptMetaserverRequest request;
    request.set_cluster_id(cluster);
    request.set_server(server);
    *request.add_founders() = MemberAt(1, 7400);
    return request;
  }

  TemporaryDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
  testing::NodeGroup nodes_{0};
  ChannelPool channels_{ChannelOptions(), "test-poller"};
  std::unique_ptr<MetaserverGroup> group_;
  int adoptions_ = 0;
};

TEST_F(MetaserverGroupTest, AMetaserverIsAdoptedOnceAndByOneCluster) {
  ASSERT_THAT(group_->Adopt(Adoption("c1", 1)), IsOk());
  EXPECT_EQ(directory_->identity().cluster_id, "c1");
  EXPECT_EQ(directory_->identity().server, ServerId(1));
  EXPECT_EQ(adoptions_, 1);
  EXPECT_THAT(group_->Adopt(Adoption("c1", 1)), IsOk());
  EXPECT_THAT(group_->Adopt(Adoption("c2", 1)), StatusIs(ErrorCode::kWrongCluster));
  v1::AdoptMetaserverRequest other = Adoption("c1", 2);
  other.clear_founders();
  EXPECT_THAT(group_->Adopt(other), StatusIs(ErrorCode::kExists));
}

TEST_F(MetaserverGroupTest, AnAdoptionThatMakesNoGroupIsRefused) {
  EXPECT_THAT(group_->Adopt(Adoption("", 1)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(group_->Adopt(Adoption("c1", 0)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(group_->Adopt(Adoption("c1", 2)), StatusIs(ErrorCode::kInvalidArgument));
  v1::AdoptMetaserverRequest twice = Adoption("c1", 1);
  *twice.add_founders() = MemberAt(1, 7500);
  EXPECT_THAT(group_->Adopt(twice), StatusIs(ErrorCode::kInvalidArgument));
  v1::AdoptMetaserverRequest nowhere = Adoption("c1", 1);
  nowhere.mutable_founders(0)->mutable_address()->mutable_grpc()->set_port(0);
  EXPECT_THAT(group_->Adopt(nowhere), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(directory_->has_identity());
}

TEST_F(MetaserverGroupTest, TellsWhoIsInItAndWhoLeads) {
  EXPECT_EQ(group_->List().role(), "unborn");
  Lead();
  const v1::ListMetaserversResponse list = group_->List();
  EXPECT_EQ(list.role(), "leader");
  EXPECT_EQ(list.leader(), 1u);
  EXPECT_EQ(list.cluster_id(), "c1");
  ASSERT_EQ(list.members_size(), 1);
  EXPECT_EQ(list.members(0).part(), "voter");
  EXPECT_TRUE(list.members(0).heard());
  EXPECT_EQ(group_->FindLeader().leader(), 1u);
}

TEST_F(MetaserverGroupTest, TheLastOneIsNotRemovedNorOneThatNeverWas) {
  Lead();
  v1::RemoveMetaserverRequest request;
  request.set_server(1);
  EXPECT_THAT(group_->Remove(request), StatusIs(ErrorCode::kInvalidArgument));
  request.set_server(7);
  EXPECT_THAT(group_->Remove(request), StatusIs(ErrorCode::kNotFound));
}

TEST_F(MetaserverGroupTest, ChangesAreTheLeadersToMake) {
  state_.serving_term = Term();
  v1::RemoveMetaserverRequest remove;
  remove.set_server(1);
  EXPECT_THAT(group_->Remove(remove), StatusIs(ErrorCode::kNotLeader));
  v1::AddMetaserverRequest add;
  *add.mutable_address() = MemberAt(2, 7500).address();
  Result<v1::AddMetaserverResponse> added;
  group_->Add(add, [&](auto result) { added = std::move(result); });
  EXPECT_THAT(added, StatusIs(ErrorCode::kNotLeader));
}

TEST_F(MetaserverGroupTest, ANewcomerThatDoesNotAnswerIsNamed) {
  Lead();
  v1::AddMetaserverRequest add;
  *add.mutable_address() = MemberAt(2, 1).address();  // nobody listens on port 1
  absl::Notification finished;
  Status status;
  group_->Add(add, [&](const auto& result) {
    status = result.error();
    finished.Notify();
  });
  finished.WaitForNotification();
  EXPECT_THAT(status, StatusIs(ErrorCode::kNotFound));
  EXPECT_NE(status.message().find("127.0.0.1:1 does not answer"), std::string::npos)
      << status.ToString();
}

TEST_F(MetaserverGroupTest, WhoIsAdoptedAgainMustHearTheSameFounders) {
  ASSERT_THAT(group_->Adopt(Adoption("c1", 1)), IsOk());
  v1::AdoptMetaserverRequest more = Adoption("c1", 1);
  *more.add_founders() = MemberAt(2, 7500);
  EXPECT_THAT(group_->Adopt(more), StatusIs(ErrorCode::kExists));
}

TEST_F(MetaserverGroupTest, AMarkThatIsNotKnownIsNotFound) {
  v1::GetStateHashRequest request;
  request.set_index(5);
  Result<v1::GetStateHashResponse> hash;
  group_->GetStateHash(request, [&](auto result) { hash = std::move(result); });
  EXPECT_THAT(hash, StatusIs(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace cairn

// What 'dev up' does about metaservers, with processes that are played by the test.
#include "cli/dev/metaservers.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/dev/server_files.h"
#include "tests/cli/fake_group.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class DevMetaserversTest : public testing::Test {
 protected:
  DevMetaserversTest() : cluster_(*DevCluster::OpenOrCreate(scratch_.path(), {})) {
    group_ = std::make_unique<FakeGroup>(cluster_.TlsDirectory(), 3);
    Shape shape = cluster_.shape();
    for (int number = 1; number <= 3; ++number) {
      shape.meta_ports[static_cast<size_t>(number - 1)].grpc = group_->AddressOf(number).port;
    }
    EXPECT_TRUE(cluster_.SaveShape(std::move(shape)).ok());
    EXPECT_TRUE(WriteServerFiles(cluster_).ok());
    // All servers seem to run.
    for (const DevMember& server : cluster_.Servers()) {
      EXPECT_TRUE(StorePidFile(cluster_.PidFile(server), *IdentityOf(::getpid())).ok());
    }
  }
  // The part of 'dev up' after the start of the processes.
  Status Up(Duration time = 20s) {
    warnings_.clear();
    auto client = AdminClient::Open(*cluster_.Access());
    EXPECT_TRUE(client.has_value());
    return AwaitMetaservers(cluster_, *client, Deadline::After(time),
                            [this](const std::string& text) { warnings_.push_back(text); });
  }
  // As after a `dev down`, when it is up again.
  void ReopenCluster() { cluster_ = *DevCluster::Open(scratch_.path()); }

  ScratchDirectory scratch_;
  DevCluster cluster_;
  std::unique_ptr<FakeGroup> group_;
  std::vector<std::string> warnings_;
};

TEST_F(DevMetaserversTest, TheFirstUpAdoptsAllThreeAndFounds) {
  ASSERT_TRUE(Up().ok());
  EXPECT_EQ(group_->times_founded, 1);
  EXPECT_EQ(group_->founded.cluster_id(), cluster_.shape().cluster_id);
  EXPECT_EQ(group_->founded.copies(), 3u);
  for (int number = 1; number <= 3; ++number) {
    const auto& adoption = group_->Peek(number).adoption;
    EXPECT_EQ(adoption.server(), static_cast<uint32_t>(number));
    EXPECT_EQ(adoption.founders_size(), 3);
    EXPECT_EQ(adoption.founders(0).address().frames().port(),
              cluster_.shape().meta_ports[0].frames);
  }
  EXPECT_TRUE(DevCluster::Open(scratch_.path())->shape().founded);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(DevMetaserversTest, AnotherUpAdoptsAndFoundsNothing) {
  ASSERT_TRUE(Up().ok());
  ReopenCluster();
  ASSERT_TRUE(Up().ok());
  EXPECT_EQ(group_->times_founded, 1);
  EXPECT_EQ(group_->Peek(1).adopted, 1);
}

TEST_F(DevMetaserversTest, AnUpThatWasInterruptedBeforeItRememberedIsFinished) {
  ASSERT_TRUE(Up().ok());
  Shape shape = cluster_.shape();
  shape.founded = false;
  ASSERT_TRUE(cluster_.SaveShape(std::move(shape)).ok());
  ASSERT_TRUE(Up().ok());
  EXPECT_EQ(group_->times_founded, 1);
  EXPECT_TRUE(cluster_.shape().founded);
}

TEST_F(DevMetaserversTest, NothingIsFoundedWhileOneDoesNotAnswer) {
  group_->Pause(3);
  EXPECT_EQ(Up(100ms).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(group_->Peek(1).adopted, 0);
}

TEST_F(DevMetaserversTest, AnEmptyDirectoryIsAWarningWhileMostRemember) {
  ASSERT_TRUE(Up().ok());
  ReopenCluster();
  group_->LoseDirectory(2);
  ASSERT_TRUE(Up().ok());
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_THAT(warnings_[0], HasSubstr("metaserver 2"));
  EXPECT_THAT(warnings_[0], HasSubstr("cairn meta remove 2"));
  EXPECT_EQ(group_->Peek(2).adopted, 1);
}

TEST_F(DevMetaserversTest, NothingIsFoundedOverAClusterThatMostForgot) {
  ASSERT_TRUE(Up().ok());
  for (const bool remembered : {true, false}) {
    ReopenCluster();
    Shape shape = cluster_.shape();
    shape.founded = remembered;  // the other way it is known from metaserver 1
    ASSERT_TRUE(cluster_.SaveShape(std::move(shape)).ok());
    group_->LoseDirectory(2);
    group_->LoseDirectory(3);
    const Status status = Up();
    EXPECT_EQ(status.code(), ErrorCode::kWrongCluster);
    EXPECT_THAT(status.message(), HasSubstr("lost its directory"));
  }
  EXPECT_EQ(group_->times_founded, 1);
  EXPECT_EQ(group_->Peek(2).adopted, 1);
}

TEST_F(DevMetaserversTest, AServerThatEndsMeanwhileEndsTheWaiting) {
  group_->Pause(1);
  ASSERT_TRUE(PosixFiles().Remove(cluster_.PidFile({DevRole::kChunk, 2})).ok());
  const Deadline soon = Deadline::After(10s);
  EXPECT_THAT(Up(60s).message(), HasSubstr("chunk2 ended"));
  EXPECT_FALSE(soon.Passed());
}

TEST_F(DevMetaserversTest, TheLeaderIsFoundByItsPortNotByItsId) {
  group_->BeFounded(cluster_.shape().cluster_id, 1);
  // The second process came back as member 9, after its directory was lost.
  group_->Change(2, [](FakeMember& member) {
    member.id = 9;
    member.says.set_server(9);
  });
  group_->Lead(9);
  const auto leader = FindLeader(cluster_);
  ASSERT_TRUE(leader.has_value()) << leader.error().ToString();
  EXPECT_EQ(leader->name(), "meta2");
}

}  // namespace
}  // namespace cairn

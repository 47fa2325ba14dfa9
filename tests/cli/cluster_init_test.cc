// 'cairn cluster init' against metaservers that are played by the test.
#include <gmock/gmock.h>

#include <sstream>

#include "cli/app.h"
#include "tests/cli/fake_group.h"

namespace cairn {
namespace {

using testing::HasSubstr;

constexpr char kId[] = "0123456789ab";

class ClusterInitTest : public testing::Test {
 protected:
  int Init(const std::string& metaservers, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"cluster",   "init",      "--meta",
                                          metaservers, "--tls-dir", tls_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    out_.str("");
    err_.str("");
    return static_cast<int>(RunCairn(std::move(arguments), Console{out_, err_, false}));
  }

  ScratchDirectory scratch_;
  const std::string tls_ = scratch_.path() + "/tls";
  FakeGroup group_{tls_, 3};
  std::ostringstream out_, err_;
};

TEST_F(ClusterInitTest, AdoptsAllAndFoundsAtTheLeader) {
  EXPECT_EQ(Init(group_.Founders(), {"--copies", "2"}), 0) << err_.str();
  EXPECT_EQ(group_.founded.copies(), 2u);
  EXPECT_THAT(out_.str(), HasSubstr(group_.founded.cluster_id()));
  for (int number = 1; number <= 3; ++number) {
    const v1::AdoptMetaserverRequest& adoption = group_.Peek(number).adoption;
    EXPECT_EQ(adoption.server(), static_cast<uint32_t>(number));
    EXPECT_EQ(adoption.cluster_id(), group_.founded.cluster_id());
    ASSERT_EQ(adoption.founders_size(), 3);
    EXPECT_EQ(adoption.founders(2).address().frames().port(), 2003u);
    EXPECT_EQ(adoption.founders(2).address().grpc().port(), group_.AddressOf(3).port);
  }
}

TEST_F(ClusterInitTest, CanBeRepeatedWithItsIdOnly) {
  ASSERT_EQ(Init(group_.Founders(), {"--id", kId}), 0) << err_.str();
  EXPECT_EQ(Init(group_.Founders(), {"--id", kId}), 0) << err_.str();
  EXPECT_EQ(group_.times_founded, 1);
  EXPECT_EQ(Init(group_.Founders()), 6);
  EXPECT_THAT(err_.str(), HasSubstr("belongs to cluster 0123456789ab"));
}

TEST_F(ClusterInitTest, GoesOnWhereItWasInterrupted) {
  group_.Change(2, [](FakeMember& member) {
    member.id = 2;
    member.says.set_cluster_id(kId);
    member.says.set_server(2);
    member.says.set_role("follower");
  });
  EXPECT_EQ(Init(group_.Founders(), {"--id", kId}), 0) << err_.str();
  EXPECT_EQ(group_.Peek(2).adopted, 0);
  EXPECT_EQ(group_.times_founded, 1);
}

// An amnesiac voter is never adopted under its old id.
TEST_F(ClusterInitTest, DoesNotTakeInOneThatLostItsDirectory) {
  ASSERT_EQ(Init(group_.Founders(), {"--id", kId}), 0) << err_.str();
  group_.LoseDirectory(2);
  EXPECT_EQ(Init(group_.Founders(), {"--id", kId}), 6);
  EXPECT_THAT(err_.str(), HasSubstr("has lost its directory"));
  EXPECT_EQ(group_.Peek(2).adopted, 1);
}

TEST_F(ClusterInitTest, ASingleOneIsNamedByItsGrpcPort) {
  FakeGroup single(tls_, 1);
  EXPECT_EQ(Init(single.Addresses()), 0) << err_.str();
  EXPECT_EQ(single.founded.cluster_id().size(), 32u);
  EXPECT_THAT(out_.str(), HasSubstr(single.founded.cluster_id()));
  const v1::AdoptMetaserverRequest& adoption = single.Peek(1).adoption;
  ASSERT_EQ(adoption.founders_size(), 1);
  EXPECT_EQ(adoption.founders(0).address().frames().port(), 7400u);
}

TEST_F(ClusterInitTest, TriesAnAdoptionAgain) {
  group_.Change(2, [](FakeMember& member) {
    member.adoption_errors.push_back(Status(ErrorCode::kUnavailable, "not yet"));
  });
  EXPECT_EQ(Init(group_.Founders()), 0) << err_.str();
  EXPECT_EQ(group_.Peek(1).adopted, 1);
  EXPECT_EQ(group_.Peek(2).adopted, 1);
}

TEST_F(ClusterInitTest, AFailureTellsTheIdThatSomeHaveByNow) {
  group_.Change(2, [](FakeMember& member) {
    member.adoption_errors.push_back(Status(ErrorCode::kIoError, "its disk"));
  });
  EXPECT_EQ(Init(group_.Founders()), 1);
  EXPECT_EQ(err_.str(),
            "cairn: its disk; repeat with --id " + group_.Peek(1).adoption.cluster_id() + "\n");
}

TEST_F(ClusterInitTest, TakesEachAddressOnce) {
  EXPECT_EQ(Init("a,b,a"), 2);
  EXPECT_EQ(err_.str(), "cairn: --meta: a:7400 is named twice\n");
  EXPECT_EQ(Init("a:1/9,a:2/9,a:3"), 2);
  EXPECT_EQ(err_.str(), "cairn: --meta: a:9 is named twice\n");
}

TEST_F(ClusterInitTest, TakesOneThreeOrFive) {
  EXPECT_EQ(Init("a,b"), 2);
  EXPECT_EQ(Init("a:1/x"), 2);
  EXPECT_EQ(Init("a,,c"), 2);
}

}  // namespace
}  // namespace cairn

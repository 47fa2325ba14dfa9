// A mount's requests while metaservers come, go, hang and take over from each other.
#include "client/metaserver_link.h"

#include <atomic>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

using namespace std::chrono_literals;

class MetaserverLinkTest : public ::testing::Test {
 protected:
  MetaserverLinkTest() : channels_(Options()) {}
  ~MetaserverLinkTest() override {
    cluster_.script().Clear();
    cluster_.script().LetGo();
  }

  static ChannelOptions Options() {
    ChannelOptions options;
    options.hello.set_role(v1::ROLE_CLIENT);
    return options;
  }
  client::MetaserverLink& Link(const std::vector<uint32_t>& told) {
    std::vector<Address> addresses;
    for (uint32_t server : told) addresses.push_back(metas().Socket(server));
    link_ = std::make_unique<client::MetaserverLink>(&channels_, addresses);
    link_->OnTrouble([this] { ++troubles_; });
    return *link_;
  }
  // One request, answered well within `limit`.
  ::testing::AssertionResult Answered(std::chrono::milliseconds limit, Duration timeout = 20s) {
    const BootTime begin = SystemClock().Now();
    auto answer = link_->Fetch<v1::StatFsResponse>(v1::METADATA_STATFS, v1::StatFsRequest(),
                                                   Deadline::After(timeout));
    const Duration took = SystemClock().Now() - begin;
    if (!answer.has_value()) return ::testing::AssertionFailure() << answer.error().ToString();
    if (took <= limit) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "after " << took / 1ms << " ms";
  }
  static ::testing::AssertionResult Until(const std::function<bool()>& condition) {
    const Deadline patience = Deadline::After(20s);
    while (!condition()) {
      if (patience.Passed()) return ::testing::AssertionFailure() << "not within 20 s";
      absl::SleepFor(absl::Milliseconds(1));
    }
    return ::testing::AssertionSuccess();
  }
  uint64_t Questions() {
    return metas().questions(1) + metas().questions(2) + metas().questions(3);
  }
  FakeMetaservers& metas() { return cluster_.metaservers(); }

  FakeCluster cluster_{kMinChunkSize, 1, 3};
  ChannelPool channels_;
  std::atomic<int> troubles_{0};
  std::unique_ptr<client::MetaserverLink> link_;
};

TEST_F(MetaserverLinkTest, GoesWhereTheFollowerPoints) {
  metas().Lead(3);
  Link({1, 2, 3});
  EXPECT_TRUE(Answered(5s));
  EXPECT_EQ(metas().requests(3), 1u);
  EXPECT_EQ(metas().requests(2), 0u);
  EXPECT_GE(troubles_, 1);
}

TEST_F(MetaserverLinkTest, StaysWithTheLeaderWithoutAskingAgain) {
  metas().Lead(2);
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  const uint64_t before = Questions();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Answered(5s));
  EXPECT_EQ(Questions(), before);
  EXPECT_EQ(metas().requests(2), 21u);
}

TEST_F(MetaserverLinkTest, OneAddressIsEnoughToFindTheOthers) {
  Link({1});
  ASSERT_TRUE(Answered(5s));
  metas().Stop(1);
  metas().Lead(2);
  EXPECT_TRUE(Answered(5s));
  EXPECT_EQ(metas().requests(2), 1u);
}

TEST_F(MetaserverLinkTest, FollowsATransferWithoutARest) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  for (uint32_t leader : {2u, 3u, 1u, 3u, 2u}) {
    metas().Lead(leader);
    const uint64_t before = Questions();
    EXPECT_TRUE(Answered(5s));
    EXPECT_LE(Questions(), before + 2);  // whom does it name, and does that one agree
  }
}

TEST_F(MetaserverLinkTest, FindsANewLeaderSoonAfterTheOldOneDied) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  metas().Stop(1);  // and for a while the others still name it
  const uint64_t before = metas().questions(2);
  std::thread election([&] {
    EXPECT_TRUE(Until([&] { return metas().questions(2) >= before + 5; }));
    metas().Lead(2);
  });
  EXPECT_TRUE(Answered(5s));
  election.join();
  EXPECT_EQ(metas().requests(2), 1u);
}

TEST_F(MetaserverLinkTest, ManyCallersShareTheQuestions) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  metas().Lead(0);
  std::vector<std::thread> callers;
  const uint64_t before = metas().questions(2);
  const BootTime begin = SystemClock().Now();
  for (int i = 0; i < 16; ++i) callers.emplace_back([&] { EXPECT_TRUE(Answered(60s, 60s)); });
  EXPECT_TRUE(Until([&] { return metas().questions(2) >= before + 30; }));
  // Rounds are 5 ms apart; 16 callers who ask each for themselves need a tenth of that.
  EXPECT_GT((SystemClock().Now() - begin) / 1ms, 120);
  metas().Lead(3);
  for (std::thread& caller : callers) caller.join();
}

TEST_F(MetaserverLinkTest, ALeaderThatHangsCostsASecondIfAnotherLeads) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  metas().Pause(1);
  metas().Lead(2);
  EXPECT_TRUE(Answered(3s));  // half of one if the machine has nothing else to do
  const uint64_t before = Questions();
  EXPECT_TRUE(Answered(3s));
  EXPECT_EQ(Questions(), before);
  metas().Resume(1);
}

TEST_F(MetaserverLinkTest, TheFirstOneToldMayHangAndAnotherBeDead) {
  metas().Pause(1);
  metas().Stop(2);
  metas().Lead(3);
  Link({1, 2, 3});
  EXPECT_TRUE(Answered(3s));
  metas().Resume(1);
}

TEST_F(MetaserverLinkTest, ALeaderThatIsOnlySlowIsNotSentTheRequestOverAndOver) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  cluster_.script().Add({v1::METADATA_STATFS, OkStatus(), false, /*hold=*/true, 0});
  std::thread caller([&] { EXPECT_TRUE(Answered(10s)); });
  EXPECT_TRUE(cluster_.script().AwaitHeld(2));
  const uint64_t before = metas().questions(1);
  EXPECT_TRUE(Until([&] { return metas().questions(1) >= before + 2; }));  // each half a second
  EXPECT_EQ(cluster_.script().held(), 2u);
  cluster_.script().LetGo();
  caller.join();
  EXPECT_EQ(metas().requests(1), 3u);
}

TEST_F(MetaserverLinkTest, ASlowLeaderThatLosesItsOfficeIsLeft) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  cluster_.script().Add({v1::METADATA_STATFS, OkStatus(), false, /*hold=*/true, 2});
  std::thread caller([&] { EXPECT_TRUE(Answered(4s)); });
  EXPECT_TRUE(cluster_.script().AwaitHeld(2));
  metas().Lead(2);
  caller.join();
  EXPECT_EQ(metas().requests(2), 1u);
}

// RuleM3: what a paused leader may still run is not run a second time by its successor.
TEST_F(MetaserverLinkTest, AChangeThatAPausedLeaderWasGivenRunsOnce) {
  auto mounted = MountedFileSystem::Mount(cluster_.Options());
  ASSERT_TRUE(mounted.has_value());
  ASSERT_TRUE((*mounted)->MakeDirectory({}, kRootInode, "before", 0755).has_value());
  cluster_.script().Add({v1::METADATA_MAKE_DIRECTORY, OkStatus(), false, /*hold=*/true, 1});
  std::thread caller([&] {
    EXPECT_TRUE((*mounted)->MakeDirectory({}, kRootInode, "d", 0755).has_value());
  });
  EXPECT_TRUE(cluster_.script().AwaitHeld(1));  // it has run, nobody was told
  metas().Pause(1);
  metas().Lead(2);
  caller.join();
  EXPECT_EQ(cluster_.metadata().changes_run(), 2u);
  metas().Resume(1);
}

TEST_F(MetaserverLinkTest, TheNewLeaderIsToldWhatIsOpen) {
  auto mounted = MountedFileSystem::Mount(cluster_.Options());
  ASSERT_TRUE(mounted.has_value());
  auto opened = (*mounted)->Create({}, kRootInode, "f", 0644, O_RDWR);
  ASSERT_TRUE(opened.has_value());
  cluster_.metadata().ForgetOpens();
  metas().Lead(2);
  EXPECT_TRUE((*mounted)->Lookup({}, kRootInode, "f").has_value());
  const uint64_t inode = opened->entry.attributes.st_ino;
  const Deadline soon = Deadline::After(5s);  // renewals by themselves come every ten
  EXPECT_TRUE(Until([&] { return cluster_.metadata().OpenInodes().contains(inode); }));
  EXPECT_FALSE(soon.Passed());
  (*mounted)->Release(opened->file);
}

TEST_F(MetaserverLinkTest, EndsByTheDeadlineAndNamesTheLastOneThatFailed) {
  Link({1, 2, 3});
  ASSERT_TRUE(Answered(5s));
  metas().Lead(0);
  metas().Pause(1);
  metas().Stop(2);
  const Deadline patience = Deadline::After(3s);
  auto answer = link_->Fetch<v1::StatFsResponse>(v1::METADATA_STATFS, v1::StatFsRequest(),
                                                 Deadline::After(1200ms));
  EXPECT_FALSE(patience.Passed());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(answer.error().message(), ::testing::HasSubstr("meta1.sock"));
  metas().Resume(1);
}

TEST_F(MetaserverLinkTest, TwoThatBothSayTheyLeadEndWithTheOneThatServes) {
  metas().Lead(2);
  metas().Misname(1, 1);  // a leader of before that has not noticed yet
  Link({1, 2, 3});
  EXPECT_TRUE(Answered(5s));
  EXPECT_EQ(metas().requests(2), 1u);
}

TEST_F(MetaserverLinkTest, OneThatNamesAnotherInVainIsNotBelievedForEver) {
  metas().Lead(3);
  metas().Misname(1, 2);
  metas().Misname(2, 1);
  Link({1, 2, 3});
  EXPECT_TRUE(Answered(5s));
  EXPECT_LE(metas().requests(1) + metas().requests(2), 1u);
}

}  // namespace
}  // namespace cairn::testing

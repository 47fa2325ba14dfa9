#include "client/open_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Standing = Extension::Standing;

constexpr SessionId kSession{7};
constexpr InodeId kFile{42};

class OpenRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override { registry_.Reset(kSession); }
  Status Begin(Duration patience) { return registry_.Begin(kFile, Deadline::After(patience)); }
  void OpenAndRelease() {
    registry_.Retain(kFile);
    registry_.Release(kSession, kFile);
  }

  OpenRegistry registry_;
};

TEST_F(OpenRegistryTest, ClosesAfterTheLastHoldOnly) {
  registry_.Retain(kFile);
  OpenAndRelease();
  EXPECT_THAT(registry_.TakeClosable(10), IsEmpty());
  EXPECT_THAT(registry_.Held(), ElementsAre(kFile));
  registry_.Release(kSession, kFile);
  EXPECT_THAT(registry_.TakeClosable(10), ElementsAre(kFile));
}

TEST_F(OpenRegistryTest, AnOpenTakesAQueuedCloseBack) {
  OpenAndRelease();
  ASSERT_TRUE(Begin(std::chrono::seconds(20)).ok());
  EXPECT_THAT(registry_.TakeClosable(10), IsEmpty());
}

TEST_F(OpenRegistryTest, AnOpenWaitsForACloseThatIsOnItsWay) {
  OpenAndRelease();
  ASSERT_THAT(registry_.TakeClosable(10), ElementsAre(kFile));
  EXPECT_EQ(Begin(std::chrono::milliseconds(1)).code(), ErrorCode::kDeadlineExceeded);
  registry_.FinishClose(true);
  EXPECT_TRUE(Begin(std::chrono::seconds(20)).ok());
}

TEST_F(OpenRegistryTest, ACloseThatWasNotToldIsQueuedAgain) {
  OpenAndRelease();
  ASSERT_THAT(registry_.TakeClosable(10), ElementsAre(kFile));
  registry_.FinishClose(false);
  EXPECT_THAT(registry_.TakeClosable(10), ElementsAre(kFile));
}

TEST_F(OpenRegistryTest, RuleL5ACloseNamesWhatWasExtendedOnceItIsTold) {
  registry_.Retain(kFile);
  registry_.Release(kSession, kFile, Standing::kAnnounced);
  EXPECT_TRUE(registry_.any_extended());
  registry_.TakeClosable(10);
  EXPECT_THAT(registry_.ClosingExtended(), ElementsAre(kFile));
  registry_.FinishClose(false);
  registry_.TakeClosable(10);
  EXPECT_THAT(registry_.ClosingExtended(), ElementsAre(kFile));
  registry_.FinishClose(true);
  OpenAndRelease();
  registry_.TakeClosable(10);
  EXPECT_THAT(registry_.ClosingExtended(), IsEmpty());
}

// The metaserver still has us down for one who extends it, whatever the new handle does.
TEST_F(OpenRegistryTest, RuleL5AFileOpenedAgainBeforeItsCloseWasSentIsNamedByTheNextClose) {
  registry_.Retain(kFile);
  registry_.Release(kSession, kFile, Standing::kAnnounced);
  ASSERT_TRUE(Begin(std::chrono::seconds(20)).ok());
  EXPECT_THAT(registry_.TakeClosable(10), IsEmpty());
  EXPECT_FALSE(registry_.any_extended());
  registry_.Release(kSession, kFile);
  registry_.TakeClosable(10);
  EXPECT_THAT(registry_.ClosingExtended(), ElementsAre(kFile));
}

TEST_F(OpenRegistryTest, RuleL5WhatIsSpoiltIsNotNamedAnyMore) {
  registry_.Retain(kFile);
  registry_.Release(kSession, kFile, Standing::kAnnounced);
  registry_.Retain(kFile);
  registry_.Release(kSession, kFile, Standing::kSpoilt);
  registry_.TakeClosable(10);
  EXPECT_THAT(registry_.ClosingExtended(), IsEmpty());
}

TEST_F(OpenRegistryTest, RoundsTellWhetherACloseWasUnderWay) {
  uint64_t before = registry_.close_rounds();
  EXPECT_EQ(before % 2, 0u);
  OpenAndRelease();
  registry_.TakeClosable(10);
  EXPECT_EQ(registry_.close_rounds() % 2, 1u);
  registry_.FinishClose(true);
  EXPECT_EQ(registry_.close_rounds() % 2, 0u);
  EXPECT_NE(registry_.close_rounds(), before);
}

TEST_F(OpenRegistryTest, HoldsOfAnEarlierSessionAreVoid) {
  registry_.Retain(kFile);
  registry_.Reset(SessionId(8));
  registry_.Retain(kFile);
  registry_.Release(kSession, kFile);
  EXPECT_THAT(registry_.Held(), ElementsAre(kFile));
}

}  // namespace
}  // namespace cairn::client

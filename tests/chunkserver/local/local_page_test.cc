#include "chunkserver/local/local_page.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>

#include "client/local_page_view.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

constexpr ChunkId kSomeChunk{InodeId(5), 3};
constexpr PgId kSomeGroup{7};
constexpr BootTime kLater{std::chrono::hours(1)};

class LocalPageTest : public ::testing::Test {
 protected:
  std::unique_ptr<LocalPage> Make() {
    auto page = LocalPage::Make(directory_ / "page");
    EXPECT_THAT(page, IsOk());
    return page.has_value() ? *std::move(page) : nullptr;
  }
  static std::unique_ptr<client::LocalPageView> See(const LocalPage& page) {
    auto view = client::LocalPageView::Map(Descriptor(dup(page.descriptor())));
    EXPECT_THAT(view, IsOk());
    return view.has_value() ? *std::move(view) : nullptr;
  }
  TemporaryDirectory directory_;
};

TEST_F(LocalPageTest, AChangeIsSeenAsSoonAsItBegins) {
  const auto page = Make();
  const auto view = See(*page);
  ASSERT_EQ(view->QuietChange(kSomeChunk), 0u);
  page->Begin(kSomeChunk);
  EXPECT_EQ(view->ChunkChange(kSomeChunk), 1u);
  EXPECT_EQ(view->QuietChange(kSomeChunk), std::nullopt);
  EXPECT_EQ(page->QuietChange(kSomeChunk), std::nullopt);
  page->End(kSomeChunk);
  EXPECT_EQ(view->QuietChange(kSomeChunk), 1u);
  EXPECT_EQ(page->QuietChange(kSomeChunk), 1u);
}

TEST_F(LocalPageTest, IsNotQuietBeforeTheLastOfSeveralChangesHasEnded) {
  const auto page = Make();
  page->Begin(kSomeChunk);
  page->Begin(kSomeChunk);
  page->End(kSomeChunk);
  EXPECT_EQ(page->QuietChange(kSomeChunk), std::nullopt);
  page->End(kSomeChunk);
  EXPECT_EQ(page->QuietChange(kSomeChunk), 2u);
}

TEST_F(LocalPageTest, ChangesOfGroupsAreCountedOneByOneAndAllAtOnce) {
  const auto page = Make();
  const auto view = See(*page);
  page->GroupChanged(kSomeGroup);
  EXPECT_EQ(view->GroupChange(kSomeGroup), 1u);
  EXPECT_EQ(view->GroupChange(PgId(8)), 0u);
  page->AllGroupsChanged();
  EXPECT_EQ(view->GroupChange(kSomeGroup), 2u);
  EXPECT_EQ(view->GroupChange(PgId(8)), 1u);
}

TEST_F(LocalPageTest, WhatWasPassedOnCannotBeWritten) {
  const auto page = Make();
  EXPECT_EQ(fcntl(page->descriptor(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page->descriptor(), 0),
            MAP_FAILED);
  const auto mode = std::filesystem::status(directory_ / "page").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(RuleC1, APageIsBelievedUpToTheLeaseAndNotAtItsEnd) {
  TemporaryDirectory directory;
  const auto page = *LocalPage::Make(directory / "page");
  const auto view = *client::LocalPageView::Map(Descriptor(dup(page->descriptor())));
  EXPECT_FALSE(view->LeaseHolds(BootTime{}));
  page->LeaseExtended(kLater);
  EXPECT_TRUE(view->LeaseHolds(BootTime{kLater.since_boot - Duration(1)}));
  EXPECT_FALSE(view->LeaseHolds(kLater));
}

TEST(RuleC1, ARevokedPageIsNeverBelievedAgain) {
  TemporaryDirectory directory;
  const auto page = *LocalPage::Make(directory / "page");
  const auto view = *client::LocalPageView::Map(Descriptor(dup(page->descriptor())));
  page->LeaseExtended(kLater);
  page->Revoked();
  page->LeaseExtended(kLater);
  EXPECT_FALSE(view->LeaseHolds(BootTime{}));
}

// As after kill -9: the file is there, its lease runs on, and nobody counts in it any more.
TEST(RuleC1, APageThatAKilledProcessLeftIsRevokedByTheNextStart) {
  TemporaryDirectory directory;
  auto killed = *LocalPage::Make(directory / "page");
  const auto view = *client::LocalPageView::Map(Descriptor(dup(killed->descriptor())));
  killed->LeaseExtended(kLater);
  const auto next = *LocalPage::Make(directory / "page");
  EXPECT_FALSE(view->LeaseHolds(BootTime{}));
  next->LeaseExtended(kLater);
  EXPECT_FALSE(view->LeaseHolds(BootTime{}));
}

TEST_F(LocalPageTest, AnOrderlyEndRevokesAndRemovesIt) {
  auto page = Make();
  const auto view = See(*page);
  page->LeaseExtended(kLater);
  page.reset();
  EXPECT_FALSE(view->LeaseHolds(BootTime{}));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "page"));
}

TEST_F(LocalPageTest, AnythingElseUnderItsNameIsNotTakenForAPage) {
  std::filesystem::create_symlink("/etc/hostname", directory_ / "page");
  EXPECT_FALSE(LocalPage::Make(directory_ / "page").has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(directory_ / "page"));
}

}  // namespace
}  // namespace cairn

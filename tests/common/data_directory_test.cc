#include "common/data_directory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

using ::testing::HasSubstr;

class DataDirectoryTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<DataDirectory>> Open(std::string_view role = kChunkserverRole,
                                              const std::string& boot = "boot-a") {
    return DataDirectory::Open(PosixFiles(), path_, role, boot);
  }
  // A start that ends as by kill -9.
  void StartAndDie(const std::string& boot = "boot-a") {
    ASSERT_THAT(Open(kChunkserverRole, boot), IsOk());
  }
  std::string Identity() { return *LoadFile(PosixFiles(), path_ + "/identity"); }
  void WriteIdentity(const std::string& text) {
    std::ofstream(path_ + "/identity", std::ios::trunc) << text;
  }

  TemporaryDirectory place_;
  const std::string path_ = place_ / "deep/data";
};

TEST_F(DataDirectoryTest, AnEmptyDirectoryGetsADiskButNoCluster) {
  const auto directory = Open();
  ASSERT_THAT(directory, IsOk());
  EXPECT_EQ((*directory)->incarnation(), Incarnation(1));
  EXPECT_EQ((*directory)->disk_uuid().size(), 32u);
  EXPECT_FALSE((*directory)->has_identity());
  EXPECT_TRUE((*directory)->clean_stop());
  EXPECT_FALSE((*directory)->unclean_boot());
}

TEST_F(DataDirectoryTest, EveryStartCountsAndKeepsWhoItIs) {
  std::string disk;
  {
    const auto first = Open();
    disk = (*first)->disk_uuid();
    ASSERT_THAT((*first)->SetIdentity("c1", ServerId(7)), IsOk());
  }
  for (uint64_t start = 2; start < 5; ++start) {
    const auto directory = Open();
    ASSERT_THAT(directory, IsOk());
    EXPECT_EQ((*directory)->incarnation(), Incarnation(start));
    EXPECT_EQ((*directory)->disk_uuid(), disk);
    EXPECT_EQ((*directory)->identity().cluster_id, "c1");
    EXPECT_EQ((*directory)->identity().server, ServerId(7));
  }
}

TEST_F(DataDirectoryTest, TwoProcessesDoNotShareIt) {
  const auto first = Open();
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(Open(), StatusIs(ErrorCode::kBusy));
}

TEST_F(DataDirectoryTest, AnotherClusterIsRefusedByName) {
  const auto directory = Open();
  ASSERT_THAT((*directory)->SetIdentity("c1", ServerId(7)), IsOk());
  EXPECT_THAT((*directory)->SetIdentity("c1", ServerId(7)), IsOk());
  const Status status = (*directory)->SetIdentity("c2", ServerId(7));
  EXPECT_THAT(status, StatusIs(ErrorCode::kWrongCluster));
  EXPECT_THAT(status.message(), HasSubstr("c1"));
  EXPECT_THAT(status.message(), HasSubstr("c2"));
}

TEST_F(DataDirectoryTest, AnotherRoleIsRefused) {
  StartAndDie();
  EXPECT_THAT(Open(kMetaserverRole), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(DataDirectoryTest, OneThatLostItsIdentityIsNotTakenForNew) {
  ASSERT_THAT(PosixFiles().MakeDirectory(path_ + "/chunks"), IsOk());
  EXPECT_THAT(Open(), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(DataDirectoryTest, ADamagedIdentityIsRefused) {
  StartAndDie();
  std::string text = Identity();
  text[text.find("incarnation") + 12] = '9';
  WriteIdentity(text);
  EXPECT_THAT(Open(), StatusIs(ErrorCode::kCorruption));
  WriteIdentity("");
  EXPECT_THAT(Open(), StatusIs(ErrorCode::kCorruption));
}

TEST_F(DataDirectoryTest, OneWhoseDiskFailedIsRefusedWithTheCause) {
  ASSERT_THAT((*Open())->MarkDiskFailed(Status(ErrorCode::kIoError, "sync chunk 5")), IsOk());
  for (int start = 0; start < 2; ++start) {
    const auto opened = Open();
    ASSERT_THAT(opened, StatusIs(ErrorCode::kDiskFailed));
    EXPECT_THAT(opened.error().message(), HasSubstr("sync chunk 5"));
    EXPECT_THAT(opened.error().message(), HasSubstr("replace it"));
  }
}

TEST_F(DataDirectoryTest, ANewerFormatIsRefused) {
  ASSERT_THAT(PosixFiles().MakeDirectory(path_), IsOk());
  WriteIdentity("cairn data directory\nformat 2\ncrc32c 5fc94e4a\n");
  const auto opened = Open();
  EXPECT_THAT(opened, StatusIs(ErrorCode::kUnimplemented));
}

TEST_F(DataDirectoryTest, KillWithoutRebootIsUncleanButTheCacheSurvived) {
  StartAndDie();
  const auto directory = Open();
  EXPECT_FALSE((*directory)->clean_stop());
  EXPECT_FALSE((*directory)->unclean_boot());
}

TEST_F(DataDirectoryTest, ACleanStopForgivesTheReboot) {
  ASSERT_THAT((*Open())->MarkCleanStop(), IsOk());
  const auto directory = Open(kChunkserverRole, "boot-b");
  EXPECT_TRUE((*directory)->clean_stop());
  EXPECT_FALSE((*directory)->unclean_boot());
}

TEST(RuleM2, AnUncleanBootIsRememberedUntilTheStoresWereRepaired) {
  TemporaryDirectory place;
  const auto open = [&](const char* boot) {
    return *DataDirectory::Open(PosixFiles(), place / "d", kMetaserverRole, boot);
  };
  open("boot-a");
  EXPECT_TRUE(open("boot-b")->unclean_boot());
  EXPECT_TRUE(open("boot-b")->unclean_boot());  // killed before the repair was done
  ASSERT_THAT(open("boot-b")->MarkRecovered(), IsOk());
  EXPECT_FALSE(open("boot-b")->unclean_boot());
  EXPECT_TRUE(open("boot-c")->unclean_boot());
}

TEST(RuleM2, WhatIsWrittenAfterACleanStopBelongsToTheNewBoot) {
  TemporaryDirectory place;
  const auto open = [&](const char* boot) {
    return *DataDirectory::Open(PosixFiles(), place / "d", kMetaserverRole, boot);
  };
  ASSERT_THAT(open("boot-a")->MarkCleanStop(), IsOk());
  open("boot-b");
  EXPECT_FALSE(open("boot-b")->unclean_boot());
  EXPECT_TRUE(open("boot-a")->unclean_boot());
}

TEST_F(DataDirectoryTest, NonsenseIsNoIdentity) {
  const auto directory = Open();
  EXPECT_THAT((*directory)->SetIdentity("", ServerId(1)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT((*directory)->SetIdentity("a\nb", ServerId(1)),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT((*directory)->SetIdentity("c1", ServerId(0)),
              StatusIs(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace cairn

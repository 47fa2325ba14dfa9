#include "cli/repair_text.h"

#include <gmock/gmock.h>

namespace cairn {
namespace {

using testing::HasSubstr;

v1::RepairRecord Half() {
  v1::RepairRecord repair;
  repair.mutable_started()->set_seconds(1000000000);
  repair.set_total_bytes(uint64_t{4} << 30);
  repair.set_done_bytes(uint64_t{2} << 30);
  repair.set_groups_total(256);
  repair.set_groups_left(128);
  repair.set_bytes_per_second(uint64_t{16} << 20);
  repair.set_seconds_left(128);
  repair.set_last_copy_bytes(uint64_t{3} << 29);
  repair.add_servers(2);
  return repair;
}

TEST(RepairTextTest, ARepairIsUnderWayFromItsStartToItsEnd) {
  v1::RepairRecord repair;
  EXPECT_FALSE(IsUnderWay(repair));
  repair = Half();
  EXPECT_TRUE(IsUnderWay(repair));
  repair.mutable_ended()->set_seconds(1000000100);
  EXPECT_FALSE(IsUnderWay(repair));
}

TEST(RepairTextTest, TimeLeftIsRoundedUp) {
  EXPECT_EQ(TimeLeft(0), "time left not known");
  EXPECT_EQ(TimeLeft(1), "about 1 s");
  EXPECT_EQ(TimeLeft(90), "about 90 s");
  EXPECT_EQ(TimeLeft(121), "about 3 min");
  EXPECT_EQ(TimeLeft(90 * 60 + 1), "about 2 h");
  EXPECT_EQ(TimeLeft(49 * 3600), "about 3 d");
}

TEST(RepairTextTest, TheBarHasTwentyCharacters) {
  EXPECT_EQ(ProgressBar(Half()), "[##########----------] 50 %");
  EXPECT_EQ(ProgressBar(v1::RepairRecord()), "[--------------------] 0 %");
}

TEST(RepairTextTest, TheBarIsNotFullWhileGroupsAreLeft) {
  v1::RepairRecord repair = Half();
  repair.set_done_bytes(repair.total_bytes());
  EXPECT_EQ(ProgressBar(repair), "[###################-] 99 %");
  repair.set_groups_left(0);
  EXPECT_EQ(ProgressBar(repair), "[####################] 100 %");
}

TEST(RepairTextTest, TheBarCountsGroupsWhileTheirBytesAreNotKnown) {
  v1::RepairRecord repair = Half();
  repair.set_total_bytes(0);
  repair.set_done_bytes(0);
  repair.set_groups_left(64);
  EXPECT_EQ(ProgressBar(repair), "[###############-----] 75 %");
}

TEST(RepairTextTest, TheParagraphHasWhatAnOperatorAsks) {
  const std::string text = RepairParagraph(Half());
  EXPECT_THAT(text, HasSubstr("of what chunkserver 2 kept\n"));
  EXPECT_THAT(text, HasSubstr("[##########----------] 50 %, 2.0 GiB left, 16.0 MiB/s, about 3 min, "
                              "128 of 256 groups left\n"));
  EXPECT_THAT(text, HasSubstr("lost if one more fails: 1.5 GiB\n"));
  v1::RepairRecord repair = Half();
  repair.add_servers(5);
  repair.set_reduced_bytes(uint64_t{2} << 30);
  EXPECT_THAT(RepairParagraph(repair), HasSubstr("of what chunkservers 2, 5 kept\n"));
  EXPECT_THAT(RepairParagraph(repair), HasSubstr("1.5 GiB; short of copies: 2.0 GiB\n"));
}

TEST(RepairTextTest, AGroupStartsMovesOrWaits) {
  v1::GroupRepair group;
  EXPECT_EQ(GroupProgress(group), "starting");
  group.set_member(3);
  group.set_total_bytes(200);
  group.set_done_bytes(50);
  EXPECT_EQ(GroupProgress(group), "25 %");
  group.set_waits("no copy is up");
  EXPECT_EQ(GroupProgress(group), "no copy is up");
}

TEST(RepairTextTest, TheMostFrequentReasonIsToldUnlessSomethingMoves) {
  v1::GetRepairResponse repair;
  EXPECT_EQ(WhyNothingMoves(repair), "");
  for (const char* reason : {"a", "z", "z", "b"}) repair.add_groups()->set_waits(reason);
  EXPECT_EQ(WhyNothingMoves(repair), "z");
  repair.add_groups()->set_member(3);
  EXPECT_EQ(WhyNothingMoves(repair), "");
}

}  // namespace
}  // namespace cairn

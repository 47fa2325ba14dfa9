#include "metaserver/cluster/repair_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/metaserver/cluster/hand_made_shape.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// Two groups of 100 MiB on servers 1, 2 and 3; 4 and 5 have room. One look after the other.
class RepairStateTest : public ::testing::Test {
 protected:
  RepairStateTest() {
    shape_.AddGroup(1, {1, 2, 3}, 100 * kMebi);
    shape_.AddGroup(2, {1, 2, 3}, 100 * kMebi);
  }
  std::optional<v1::NoteRepairCommand> Look(Duration later = 0s) {
    clock_.Advance(later);
    std::optional<v1::NoteRepairCommand> note =
        tracker_.Next(LookAtRepair(shape_.Shape()), clock_.Now(), clock_.WallNow());
    if (note.has_value()) record_ = note->repair();
    return note;
  }
  void Copying(uint32_t group, uint32_t member, uint64_t total, uint64_t done) {
    shape_.Copying(group, member, {total * kMebi, done * kMebi});
  }
  // As the next leader does.
  void ChangeLeader() {
    tracker_ = RepairTracker();
    tracker_.Load(record_);
  }

  ManualClock clock_;
  HandMadeShape shape_{5};
  RepairTracker tracker_;
  v1::RepairRecord record_;  // as recorded last
};

TEST_F(RepairStateTest, NothingIsRecordedWhileNothingIsMissing) {
  EXPECT_FALSE(Look().has_value());
  EXPECT_FALSE(Look(10s).has_value());
}

TEST_F(RepairStateTest, ALossBeginsAnIncidentWithOneEvent) {
  shape_.Lose(3);
  const auto note = Look();
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(record_.started().seconds(), clock_.WallNow().seconds);
  EXPECT_FALSE(record_.has_ended());
  EXPECT_EQ(record_.groups_left(), 2u);
  EXPECT_EQ(record_.groups_total(), 2u);
  EXPECT_EQ(record_.total_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.done_bytes(), 0u);
  EXPECT_EQ(record_.reduced_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.last_copy_bytes(), 0u);
  EXPECT_THAT(record_.servers(), ElementsAre(3));
  ASSERT_EQ(note->events_size(), 1);
  EXPECT_EQ(note->events(0).severity(), "warning");
  EXPECT_EQ(note->events(0).code(), "COPIES_MISSING");
  EXPECT_EQ(note->events(0).subject(), "chunkserver 3");
  EXPECT_EQ(note->events(0).text(), "2 placement groups lack a copy, 200.0 MiB to be copied");
  EXPECT_FALSE(Look(10s).has_value());  // nothing new
}

TEST_F(RepairStateTest, AWholeIncidentIsToldFromTheLossToTheLastCopy) {
  shape_.Lose(3);
  Look();
  shape_.AddSyncing(1, 4);
  Copying(1, 4, 100, 50);
  auto note = Look(10s);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events_size(), 0);
  EXPECT_EQ(record_.total_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.done_bytes(), 50 * kMebi);
  EXPECT_EQ(record_.bytes_per_second(), 5 * kMebi);
  EXPECT_EQ(record_.seconds_left(), 30u);

  shape_.Synced(1, 4);
  Look(5s);
  EXPECT_EQ(record_.groups_left(), 1u);
  EXPECT_EQ(record_.groups_total(), 2u);
  EXPECT_EQ(record_.done_bytes(), 100 * kMebi);
  EXPECT_EQ(record_.reduced_bytes(), 100 * kMebi);

  shape_.AddSyncing(2, 5);
  Copying(2, 5, 100, 100);
  Look(5s);
  shape_.Synced(2, 5);
  note = Look(2s);
  ASSERT_TRUE(note.has_value());
  EXPECT_TRUE(record_.has_ended());
  EXPECT_EQ(record_.groups_left(), 0u);
  EXPECT_EQ(record_.done_bytes(), record_.total_bytes());
  EXPECT_EQ(record_.seconds_left(), 0u);
  EXPECT_EQ(record_.bytes_per_second(), 0u);
  ASSERT_EQ(note->events_size(), 1);
  EXPECT_EQ(note->events(0).severity(), "info");
  EXPECT_EQ(note->events(0).code(), "REPAIRED");
  EXPECT_EQ(note->events(0).subject(), "chunkserver 3");
  EXPECT_EQ(note->events(0).text(),
            "all copies are back: 2 placement groups, 200.0 MiB brought up to date in 22 s");
  EXPECT_FALSE(Look(10s).has_value());
}

TEST_F(RepairStateTest, ASecondLossInTheMiddleGrowsTheTotal) {
  shape_.Lose(3);
  Look();
  shape_.AddSyncing(1, 4);
  Copying(1, 4, 100, 50);
  Look(10s);
  shape_.Lose(2);
  const auto note = Look(1s);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events_size(), 0);  // the same incident
  EXPECT_EQ(record_.total_bytes(), 400 * kMebi);
  EXPECT_EQ(record_.done_bytes(), 50 * kMebi);
  EXPECT_EQ(record_.last_copy_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.groups_total(), 2u);
  EXPECT_THAT(record_.servers(), ElementsAre(3, 2));
}

TEST_F(RepairStateTest, ALossDownToOneCopyIsAnError) {
  shape_.Lose(3);
  shape_.Lose(2);
  const auto note = Look();
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events(0).severity(), "error");
  EXPECT_EQ(note->events(0).subject(), "chunkservers 2, 3");
}

TEST_F(RepairStateTest, ADrainedServerIsAMoveWithoutRisk) {
  shape_.server(3).draining = true;
  auto note = Look();
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events(0).code(), "COPIES_MOVE");
  EXPECT_EQ(note->events(0).severity(), "info");
  EXPECT_EQ(record_.groups_left(), 2u);
  EXPECT_EQ(record_.total_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.reduced_bytes(), 0u);
  EXPECT_THAT(record_.servers(), ElementsAre(3));
  shape_.server(3).draining = false;
  note = Look(1s);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events(0).code(), "COPIES_MOVED");
}

TEST_F(RepairStateTest, TheRateIsThatOfTheLastSeconds) {
  shape_.Lose(3);
  Look();
  shape_.AddSyncing(1, 4);
  Copying(1, 4, 100, 50);
  Look(5s);
  EXPECT_EQ(record_.bytes_per_second(), 10 * kMebi);
  for (int second = 0; second < 12; ++second) Look(1s);
  EXPECT_EQ(record_.bytes_per_second(), 0u);
  EXPECT_EQ(record_.seconds_left(), 0u);  // not known
}

TEST_F(RepairStateTest, TheNextLeaderGoesOnWithTheSameIncident) {
  shape_.Lose(3);
  Look();
  shape_.AddSyncing(1, 4);
  Copying(1, 4, 100, 50);
  Look(10s);
  const v1::RepairRecord before = record_;
  ChangeLeader();
  Copying(1, 4, 100, 70);
  const auto note = Look(10s);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->events_size(), 0);
  EXPECT_EQ(record_.started().seconds(), before.started().seconds());
  EXPECT_EQ(record_.total_bytes(), before.total_bytes());
  EXPECT_EQ(record_.done_bytes(), 70 * kMebi);
  EXPECT_THAT(record_.servers(), ElementsAre(3));
}

TEST_F(RepairStateTest, AnIncidentThatEndedBeforeTheLeaderChangedIsNotEndedAgain) {
  shape_.Lose(3);
  Look();
  shape_.AddSyncing(1, 4);
  shape_.AddSyncing(2, 4);
  shape_.Synced(1, 4);
  shape_.Synced(2, 4);
  Look(1s);
  ASSERT_TRUE(record_.has_ended());
  ChangeLeader();
  EXPECT_FALSE(Look(1s).has_value());
  shape_.Lose(4);
  const auto note = Look(1s);
  ASSERT_TRUE(note.has_value());
  EXPECT_FALSE(record_.has_ended());
  EXPECT_THAT(record_.servers(), ElementsAre(4));  // nothing of the old one
}

// The sizes of groups are soft state of the leader: it hears them with the next heartbeats.
TEST_F(RepairStateTest, ANewLeaderThatHasNotHeardTheSizesYetDoesNotCountThemTwice) {
  shape_.Lose(3);
  Look();
  shape_.ForgetSizes();
  ChangeLeader();
  Look(1s);
  EXPECT_EQ(record_.done_bytes(), 0u);
  shape_.Sizes({{PgId(1), {1, 100 * kMebi}}, {PgId(2), {1, 100 * kMebi}}});
  Look(1s);
  EXPECT_EQ(record_.total_bytes(), 200 * kMebi);
  EXPECT_EQ(record_.done_bytes(), 0u);
}

TEST_F(RepairStateTest, ListsGroupsWithFewestCopiesFirstAndWhatEachWaitsFor) {
  shape_.AddGroup(3, {2, 3, 4}, 10 * kMebi);
  shape_.AddGroup(4, {1, 4, 5}, 10 * kMebi);
  shape_.Lose(3, 5s);
  shape_.Lose(2, 5s);
  shape_.AddSyncing(1, 4);
  Copying(1, 4, 100, 50);
  shape_.AddGroup(5, {1, 3, 5}, 10 * kMebi);
  shape_.Lose(3, 5s);
  const auto repairs = ListRepairs(shape_.Shape(), MovePolicy(), 10);
  ASSERT_EQ(repairs.size(), 4u);
  EXPECT_EQ(repairs[0].group(), 1u);
  EXPECT_EQ(repairs[0].active(), 1u);
  EXPECT_EQ(repairs[0].wanted(), 3u);
  EXPECT_EQ(repairs[0].bytes(), 100 * kMebi);
  EXPECT_EQ(repairs[0].member(), 4u);
  EXPECT_EQ(repairs[0].total_bytes(), 100 * kMebi);
  EXPECT_EQ(repairs[0].done_bytes(), 50 * kMebi);
  EXPECT_EQ(repairs[0].waits(), "");
  EXPECT_EQ(repairs[3].group(), 5u);
  EXPECT_EQ(repairs[3].active(), 2u);
  EXPECT_EQ(repairs[3].member(), 0u);
  EXPECT_EQ(repairs[3].waits(), "chunkserver 3 may be back within 26 s of grace");
  EXPECT_EQ(ListRepairs(shape_.Shape(), MovePolicy(), 2).size(), 2u);
}

}  // namespace
}  // namespace cairn

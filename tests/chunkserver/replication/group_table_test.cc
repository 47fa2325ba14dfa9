#include "chunkserver/replication/group_table.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

class GroupTableTest : public testing::Test {
 protected:
  GroupTableTest() : table_(clock_) {
    table_.SetSelf(ServerId(1), Incarnation(3));
    table_.ExtendLease(clock_.Now() + timing::kChunkLease);
    table_.OnWantRefresh([this] { ++refreshes_; });
    Apply(5, 3);
  }
  void Apply(uint64_t epoch, uint64_t own_incarnation) {
    v1::ClusterMap map;
    map.set_version(epoch);
    v1::PlacementGroup& group = *map.add_groups();
    group.set_id(9);
    group.set_epoch(epoch);
    v1::Member& own = *group.add_members();
    own.set_server(1);
    own.set_state(v1::MEMBER_ACTIVE);
    own.set_incarnation(own_incarnation);
    v1::Member& other = *group.add_members();
    other.set_server(2);
    other.set_state(v1::MEMBER_SYNCING);
    table_.Apply(map, true);
  }
  ErrorCode Stand(uint64_t epoch) {
    return internal::StatusOf(table_.Stand(PgId(9), Epoch(epoch))).code();
  }
  ManualClock clock_;
  GroupTable table_;
  int refreshes_ = 0;
};

TEST_F(GroupTableTest, TheFirstActiveMemberIsThePrimary) {
  EXPECT_EQ(table_.Stand(PgId(9), Epoch(5))->role, OwnRole::kPrimary);
}

TEST_F(GroupTableTest, AnOlderEpochIsRefusedANewerOneAlsoAsksForTheMap) {
  EXPECT_EQ(Stand(4), ErrorCode::kStaleEpoch);
  EXPECT_EQ(refreshes_, 0);
  EXPECT_EQ(Stand(6), ErrorCode::kStaleEpoch);
  EXPECT_EQ(refreshes_, 1);
}

TEST_F(GroupTableTest, NeverGoesBackToAnOlderEpoch) {
  Apply(4, 3);
  EXPECT_EQ(Stand(5), ErrorCode::kOk);
}

TEST(RuleC1, TheLeaseEndsByItself) {
  ManualClock clock;
  GroupTable table(clock);
  EXPECT_FALSE(table.CheckLease().ok());
  table.ExtendLease(clock.Now() + timing::kChunkLease);
  EXPECT_TRUE(table.CheckLease().ok());
  clock.Advance(timing::kChunkLease);
  EXPECT_EQ(table.CheckLease().code(), ErrorCode::kUnavailable);
}

TEST_F(GroupTableTest, RevokedMeansNothingIsServedWhateverTheMetaserverSays) {
  table_.Revoke("its disk has failed");
  table_.ExtendLease(clock_.Now() + timing::kChunkLease * 10);
  EXPECT_EQ(Stand(5), ErrorCode::kUnavailable);
}

TEST(RuleC2, ARowForAnEarlierStartGivesNoRole) {
  ManualClock clock;
  GroupTable table(clock);
  table.SetSelf(ServerId(1), Incarnation(4));
  v1::ClusterMap map;
  v1::PlacementGroup& group = *map.add_groups();
  group.set_id(9);
  group.set_epoch(1);
  v1::Member& own = *group.add_members();
  own.set_server(1);
  own.set_state(v1::MEMBER_ACTIVE);
  own.set_incarnation(3);
  table.Apply(map, true);
  EXPECT_EQ(table.Current(PgId(9)).role, OwnRole::kNone);
}

}  // namespace
}  // namespace cairn

#include "metaserver/placement/group_row.h"
#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class RemoveServerTest : public GroupsTest {
 protected:
  void SetUp() override {
    for (const char* disk : {"a", "b", "c"}) Join(disk, 1);
  }
  Code Remove(uint32_t server) {
    v1::Command command;
    command.mutable_remove_server()->set_server(server);
    return fs_.Run(command);
  }
  bool IsKnown(uint32_t id) {
    return fs_.Find<v1::ServerRecord>(schema::ServerKey(ServerId(id))).has_value();
  }
};
CAIRN_OVER_BOTH_STORES(RemoveServerTest);

TEST_P(RemoveServerTest, AServerWithoutGroupsIsForgotten) {
  ASSERT_EQ(Create({Group({1, 2})}), Code::kOk);
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Remove(3), Code::kOk);
  EXPECT_FALSE(IsKnown(3));
  EXPECT_TRUE(IsKnown(1));
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(Remove(3), Code::kNotFound);
}

TEST_P(RemoveServerTest, ADiskThatComesBackIsAnotherServer) {
  ASSERT_EQ(Remove(3), Code::kOk);
  EXPECT_EQ(Join("c", 2).server(), 4u);
}

TEST_P(RemoveServerTest, AMemberIsNotRemovedWhateverItsState) {
  ASSERT_EQ(Create({Group({1, 2})}), Code::kOk);
  EXPECT_EQ(Remove(2), Code::kNotEmpty);
  v1::PlacementGroup next = Group({1, 2}, 1, 2);
  MakeInactive(*next.mutable_members(1), v1::MEMBER_SYNCING);
  ASSERT_EQ(Namespace::CodeOf(Update({next})), Code::kOk);
  EXPECT_EQ(Remove(2), Code::kNotEmpty);
  EXPECT_TRUE(IsKnown(2));
}

class RuleC3RemoveServer : public RemoveServerTest {};
CAIRN_OVER_BOTH_STORES(RuleC3RemoveServer);

// It may be the only one that has what was answered last.
TEST_P(RuleC3RemoveServer, AServerOfTheLastActivatedEpochIsNotRemoved) {
  v1::PlacementGroup first = Group({1, 2});
  first.set_epoch(1);
  Activate(first);
  ASSERT_EQ(Create({first}), Code::kOk);
  v1::PlacementGroup next = Stored(1);
  next.set_epoch(2);
  next.mutable_members()->DeleteSubrange(1, 1);
  *next.mutable_activated() = first.members();
  ASSERT_EQ(Namespace::CodeOf(Update({next})), Code::kOk);
  ASSERT_EQ(Stored(1).members_size(), 1);
  EXPECT_EQ(Remove(2), Code::kNotEmpty);
  EXPECT_TRUE(IsKnown(2));
}

class RuleC3GiveUp : public RemoveServerTest {
 protected:
  v1::Outcome GiveUp(uint32_t server, uint32_t groups) {
    v1::Command command;
    command.mutable_remove_server()->set_server(server);
    command.mutable_remove_server()->set_give_up_groups(groups);
    return fs_.Apply(fs_.Complete(command));
  }
  v1::Pool Pool() { return *fs_.Find<v1::Pool>(schema::PoolKey(PoolId(1))); }
};
CAIRN_OVER_BOTH_STORES(RuleC3GiveUp);

TEST_P(RuleC3GiveUp, WhatIsGivenUpIsSpelledOutOrNothingHappens) {
  ASSERT_EQ(Create({Group({1}), Group({1}), Group({2})}), Code::kOk);
  EXPECT_EQ(Namespace::CodeOf(GiveUp(1, 1)), Code::kNotEmpty);
  EXPECT_EQ(Namespace::CodeOf(GiveUp(1, 3)), Code::kNotEmpty);
  EXPECT_TRUE(IsKnown(1));
  const v1::Outcome outcome = GiveUp(1, 2);
  EXPECT_EQ(Namespace::CodeOf(outcome), Code::kOk);
  EXPECT_EQ(outcome.lost_groups(), 2u);
  EXPECT_FALSE(IsKnown(1));
  EXPECT_TRUE(Stored(1).lost());
  EXPECT_TRUE(Stored(2).lost());
  EXPECT_FALSE(Stored(3).lost());
  EXPECT_EQ(Stored(1).changed_at(), fs_.State().map_version());
}

TEST_P(RuleC3GiveUp, NewFilesDoNotMeetLostGroups) {
  ASSERT_EQ(Create({Group({1}), Group({2})}), Code::kOk);
  const v1::Pool before = Pool();
  ASSERT_EQ(Namespace::CodeOf(GiveUp(1, 1)), Code::kOk);
  EXPECT_EQ(Pool().generation(), before.generation() + 1);
  EXPECT_EQ(Pool().group_count(), 0u);
  ASSERT_EQ(Pool().earlier_size(), 1);
  EXPECT_EQ(Pool().earlier(0).first_group(), before.first_group());
  ASSERT_EQ(Create({Group({2})}), Code::kOk);
  EXPECT_EQ(Pool().first_group(), 3u);
}

TEST_P(RuleC3GiveUp, ItIsOnTheTimeline) {
  ASSERT_EQ(Create({Group({1})}), Code::kOk);
  ASSERT_EQ(Namespace::CodeOf(GiveUp(1, 1)), Code::kOk);
  const auto event = fs_.Find<v1::EventRecord>(schema::EventKey(1));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->code(), "LOSS_ACCEPTED");
  EXPECT_EQ(event->severity(), "error");
}

TEST_P(RuleC3GiveUp, AServerThatIsLeftOnlyInLostGroupsIsRemovedWithoutAWord) {
  v1::PlacementGroup group = Group({1, 2});
  MakeInactive(*group.mutable_members(1), v1::MEMBER_SYNCING);
  ASSERT_EQ(Create({group}), Code::kOk);
  ASSERT_EQ(Namespace::CodeOf(GiveUp(1, 1)), Code::kOk);
  EXPECT_EQ(Remove(2), Code::kOk);
  EXPECT_TRUE(Stored(1).lost());
}

}  // namespace

}  // namespace cairn::testing

#include "chunkserver/replication/attachment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "chunkserver/replication/primary_groups.h"

namespace cairn {
namespace {

constexpr ChunkId kOneChunk{InodeId(1), 0};

using Take = Attachment::Take;

TEST(AttachmentTest, AWriteBeforeTheComparisonIsNotSentAndComparedLater) {
  Attachment attachment(Epoch(1), ServerId(2));
  EXPECT_EQ(attachment.TakeWrite(kOneChunk), Take::kNo);
  EXPECT_FALSE(attachment.Pledge());
  EXPECT_EQ(attachment.NextMissed(), kOneChunk);
  attachment.MarkCompared(kOneChunk);
  EXPECT_EQ(attachment.TakeWrite(kOneChunk), Take::kCounted);
  EXPECT_TRUE(attachment.Pledge());
  EXPECT_EQ(attachment.TakeWrite({InodeId(9), 9}), Take::kPledged);
}

TEST(AttachmentTest, WaitsForTheSendsMadeBeforeThePledge) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kOneChunk);
  ASSERT_EQ(attachment.TakeWrite(kOneChunk), Take::kCounted);
  ASSERT_TRUE(attachment.Pledge());
  EXPECT_FALSE(attachment.AwaitSends(Deadline::After(Duration::zero())));
  attachment.SendEnded(true);
  EXPECT_TRUE(attachment.AwaitSends(Deadline::After(Duration::zero())));
}

TEST(AttachmentTest, ASendThatFailedEndsIt) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kOneChunk);
  ASSERT_EQ(attachment.TakeWrite(kOneChunk), Take::kCounted);
  attachment.SendEnded(false);
  EXPECT_TRUE(attachment.failed());
  EXPECT_FALSE(attachment.Pledge());
}

TEST(AttachmentTest, AChunkThatChangedOtherwiseIsComparedAgain) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kOneChunk);
  attachment.Touch(kOneChunk);
  EXPECT_EQ(attachment.NextMissed(), kOneChunk);
  EXPECT_EQ(attachment.TakeWrite(kOneChunk), Take::kNo);
}

TEST(AttachmentTest, AWriteItWasNotToldOfIsComparedLater) {
  Attachment attachment(Epoch(1), ServerId(2));
  EXPECT_FALSE(attachment.MustHave(kOneChunk));
  EXPECT_FALSE(attachment.Pledge());
  attachment.MarkCompared(kOneChunk);
  EXPECT_FALSE(attachment.MustHave(kOneChunk));
  EXPECT_TRUE(attachment.Pledge());
  EXPECT_TRUE(attachment.MustHave(kOneChunk));
}

// Server 1 is the primary of a group that server 2 joins.
class PrimaryGroupsTest : public testing::Test {
 protected:
  static constexpr PgId kGroup{9};
  PrimaryGroupsTest() { table_.SetSelf(ServerId(1), Incarnation(1)); }
  void Apply(uint64_t epoch, bool joined) {
    v1::ClusterMap map;
    v1::PlacementGroup& group = *map.add_groups();
    group.set_id(kGroup.value);
    group.set_epoch(epoch);
    for (const uint32_t server : {1u, 2u}) {
      v1::Member& member = *group.add_members();
      member.set_server(server);
      member.set_state(server == 1 || joined ? v1::MEMBER_ACTIVE : v1::MEMBER_SYNCING);
      member.set_incarnation(1);
    }
    group.set_activated_epoch(group.epoch());
    table_.Apply(map, false);
  }
  bool MustHaveWrites(ServerId server) {
    const std::vector<ServerId> servers = groups_.RequiredOf(kGroup).servers;
    return std::find(servers.begin(), servers.end(), server) != servers.end();
  }
  ManualClock clock_;
  GroupTable table_{clock_};
  PrimaryGroups groups_{table_};
};

TEST_F(PrimaryGroupsTest, APledgedMemberIsRequiredAtEveryMomentOfBecomingActive) {
  Apply(1, false);
  groups_.GroupChanged(kGroup);
  const auto attachment = groups_.Attach(*table_.Current(kGroup).group, ServerId(2));
  EXPECT_FALSE(MustHaveWrites(ServerId(2)));
  ASSERT_TRUE(attachment->Pledge());
  EXPECT_TRUE(MustHaveWrites(ServerId(2)));
  Apply(2, true);
  EXPECT_TRUE(MustHaveWrites(ServerId(2)));
  groups_.GroupChanged(kGroup);
  EXPECT_TRUE(MustHaveWrites(ServerId(2)));
}

TEST_F(PrimaryGroupsTest, AThreadThatIsLateWithAChangeDoesNotUndoTheNextOne) {
  // The thread that brought epoch 1 stands still until another one has brought epoch 2.
  table_.OnChange([&](const std::vector<PgId>&) {
    if (table_.Current(kGroup).group->epoch == Epoch(1)) Apply(2, false);
    groups_.GroupChanged(kGroup);
  });
  Apply(1, false);
  EXPECT_NE(groups_.Attach(*table_.Current(kGroup).group, ServerId(2)), nullptr);
  groups_.SetEqual(kGroup, Epoch(2));
  EXPECT_TRUE(groups_.IsReady(kGroup));
}

}  // namespace
}  // namespace cairn

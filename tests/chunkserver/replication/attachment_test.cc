#include "chunkserver/replication/attachment.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr ChunkId kChunk{InodeId(1), 0};
using Take = Attachment::Take;

TEST(AttachmentTest, AWriteBeforeTheComparisonIsNotSentAndComparedLater) {
  Attachment attachment(Epoch(1), ServerId(2));
  EXPECT_EQ(attachment.TakeWrite(kChunk), Take::kNo);
  EXPECT_FALSE(attachment.Pledge());
  EXPECT_EQ(attachment.NextMissed(), kChunk);
  attachment.MarkCompared(kChunk);
  EXPECT_EQ(attachment.TakeWrite(kChunk), Take::kCounted);
  EXPECT_TRUE(attachment.Pledge());
  EXPECT_EQ(attachment.TakeWrite({InodeId(9), 9}), Take::kPledged);
}

TEST(AttachmentTest, WaitsForTheSendsMadeBeforeThePledge) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kChunk);
  ASSERT_EQ(attachment.TakeWrite(kChunk), Take::kCounted);
  ASSERT_TRUE(attachment.Pledge());
  EXPECT_FALSE(attachment.AwaitSends(Deadline::After(Duration::zero())));
  attachment.SendEnded(true);
  EXPECT_TRUE(attachment.AwaitSends(Deadline::After(Duration::zero())));
}

TEST(AttachmentTest, ASendThatFailedEndsIt) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kChunk);
  ASSERT_EQ(attachment.TakeWrite(kChunk), Take::kCounted);
  attachment.SendEnded(false);
  EXPECT_TRUE(attachment.failed());
  EXPECT_FALSE(attachment.Pledge());
}

TEST(AttachmentTest, AChunkThatChangedOtherwiseIsComparedAgain) {
  Attachment attachment(Epoch(1), ServerId(2));
  attachment.MarkCompared(kChunk);
  attachment.Touch(kChunk);
  EXPECT_EQ(attachment.NextMissed(), kChunk);
  EXPECT_EQ(attachment.TakeWrite(kChunk), Take::kNo);
}

}  // namespace
}  // namespace cairn

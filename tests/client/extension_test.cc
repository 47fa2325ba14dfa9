// What may be written past the size, as a value.
#include "client/extension.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metaserver/operations/extenders.h"

namespace cairn::client {
namespace {

using Standing = Extension::Standing;

// Both sides of the wire must mean the same chunks.
static_assert(kChunksOfNewFile == cairn::kChunksOfNewFile);

constexpr uint32_t kChunkSize = 1u << 20;

Segment FrameIn(uint64_t chunk) {
  Segment frame;
  frame.offset = chunk * kChunkSize;
  frame.length = 10;
  return frame;
}

size_t CountReady(Extension& extension) {
  return extension.TakeReady(kChunkSize, [](const Segment&) { return false; }).size();
}

TEST(ExtensionTest, ANewFileIsAnnouncedFromTheBeginning) {
  Extension extension;
  EXPECT_EQ(extension.standing(), Standing::kNone);
  extension.BeginWithNewFile();
  EXPECT_TRUE(extension.Covers(kChunksOfNewFile - 1));
  EXPECT_FALSE(extension.Covers(kChunksOfNewFile));
  EXPECT_EQ(extension.standing(), Standing::kAnnounced);
}

TEST(ExtensionTest, OneAnnouncementIsOnItsWayAtATime) {
  Extension extension;
  EXPECT_FALSE(extension.Ask(kChunkSize).has_value());  // nothing waits
  extension.Wait(FrameIn(7));
  const auto chunks = extension.Ask(kChunkSize);
  ASSERT_TRUE(chunks.has_value());
  EXPECT_EQ(chunks->first(), 7u);
  EXPECT_EQ(chunks->count(), kChunksOfNewFile);
  EXPECT_FALSE(extension.Ask(kChunkSize).has_value());
  EXPECT_EQ(CountReady(extension), 0u);
  extension.Announced();
  EXPECT_EQ(CountReady(extension), 1u);
  EXPECT_FALSE(extension.anyone_waits());
}

// So a file of any length takes a handful of them.
TEST(ExtensionTest, EachAnnouncementIsForAsMuchAsAllBeforeIt) {
  Extension extension;
  extension.BeginWithNewFile();
  uint64_t chunk = kChunksOfNewFile;
  int announcements = 0;
  for (; chunk < 100'000; ++announcements) {
    extension.Wait(FrameIn(chunk));
    chunk += extension.Ask(kChunkSize)->count();
    extension.Announced();
    EXPECT_EQ(CountReady(extension), 1u);
  }
  EXPECT_EQ(announcements, 13);
}

TEST(ExtensionTest, TheLastChunkOfAllCanBeAnnounced) {
  Extension extension;
  extension.Wait(FrameIn(UINT32_MAX - 1));
  EXPECT_EQ(extension.Ask(kChunkSize)->count(), 1u);
}

TEST(ExtensionTest, WhatIsRefusedMayHaveBeenAnnouncedAllTheSame) {
  Extension extension;
  extension.Wait(FrameIn(0));
  extension.Wait(FrameIn(100));
  extension.Ask(kChunkSize);
  EXPECT_EQ(extension.Refused().size(), 2u);
  EXPECT_FALSE(extension.Covers(0));
  EXPECT_EQ(extension.standing(), Standing::kAnnounced);
}

TEST(ExtensionTest, RuleL5NothingIsAnnouncedWhileACommitEndsIt) {
  Extension extension;
  extension.BeginWithNewFile();
  EXPECT_TRUE(extension.EndWithCommit());
  EXPECT_FALSE(extension.Covers(0));
  extension.Wait(FrameIn(0));
  EXPECT_FALSE(extension.Ask(kChunkSize).has_value());
  extension.CommitAnswered(true);
  EXPECT_EQ(extension.standing(), Standing::kNone);
  EXPECT_TRUE(extension.Ask(kChunkSize).has_value());
}

TEST(ExtensionTest, ACommitThatWasNotTakenIsTriedAgainAsTheLast) {
  Extension extension;
  extension.BeginWithNewFile();
  EXPECT_TRUE(extension.EndWithCommit());
  extension.CommitAnswered(false);
  EXPECT_EQ(extension.standing(), Standing::kAnnounced);
  EXPECT_TRUE(extension.EndWithCommit());
}

TEST(ExtensionTest, AnOrdinaryCommitEndsNothing) {
  Extension extension;
  extension.BeginWithNewFile();
  extension.CommitAnswered(true);
  EXPECT_TRUE(extension.Covers(0));
  EXPECT_EQ(extension.standing(), Standing::kAnnounced);
}

TEST(ExtensionTest, RuleL5WhatIsSpoiltLastsAsLongAsTheSession) {
  Extension extension;
  extension.Spoil();
  EXPECT_EQ(extension.standing(), Standing::kNone);  // nothing past the size was ever sent
  extension.BeginWithNewFile();
  extension.Spoil();
  EXPECT_FALSE(extension.EndWithCommit());
  EXPECT_EQ(extension.standing(), Standing::kSpoilt);
}

}  // namespace
}  // namespace cairn::client

#include "chunkserver/local/local_grants.h"

#include <unistd.h>

#include "chunkserver/replication/wire.h"
#include "common/crc32c.h"
#include "tests/chunkserver/local/local_stack.h"

namespace cairn {
namespace {

class LocalGrantsTest : public ::testing::Test, protected LocalStack {
 protected:
  ErrorCode CodeAt(const v1::ChunkAddress& chunk) {
    return internal::StatusOf(Grant(chunk)).code();
  }
  ErrorCode Code() { return CodeAt(cluster_.Address(kChunk)); }
};

TEST_F(LocalGrantsTest, GivesTheFileItsChecksumsAndWhatIsPresent) {
  Serve();
  ASSERT_EQ(Write(kBlockSize, Block('b')), ErrorCode::kOk);
  Result<LocalGrant> grant = Grant(cluster_.Address(kChunk));
  ASSERT_THAT(grant, IsOk());
  EXPECT_EQ(grant->answer.chunk_size(), kTestChunkSize);
  EXPECT_EQ(UnpackBits(grant->answer.present(), 2), (std::vector<bool>{false, true}));
  std::string bytes(kBlockSize, '\0');
  ASSERT_EQ(pread(grant->file.get(), bytes.data(), bytes.size(), kBlockSize), ssize_t{kBlockSize});
  EXPECT_EQ(bytes, Block('b'));
  EXPECT_EQ(grant->answer.crcs(1), Crc32c(bytes.data(), bytes.size()));
  EXPECT_EQ(write(grant->file.get(), "x", 1), -1);
}

TEST_F(LocalGrantsTest, AChunkThatIsNotHereIsLeftToFrames) {
  Serve();
  EXPECT_EQ(Code(), ErrorCode::kChunkMissing);
}

TEST_F(LocalGrantsTest, ARequestThatMakesNoSenseIsRefused) {
  Serve();
  v1::ChunkAddress chunk = cluster_.Address(kChunk);
  chunk.set_chunk_size(5);
  EXPECT_EQ(CodeAt(chunk), ErrorCode::kInvalidArgument);
}

TEST_F(LocalGrantsTest, AFencedSessionGetsNone) {
  Serve();
  ASSERT_EQ(Write(0, Block('a')), ErrorCode::kOk);
  v1::HeartbeatResponse answer;
  answer.set_last_fence(1);
  v1::Fence& fence = *answer.add_fences();
  fence.set_sequence(1);
  fence.set_session(cluster_.Address(kChunk).session());
  ASSERT_TRUE(cluster_.replica(kA).context().fences.Take(answer));
  EXPECT_EQ(Code(), ErrorCode::kFenced);
  EXPECT_TRUE(grants_->IsShutOut(SessionId(cluster_.Address(kChunk).session())));
}

TEST(RuleC1, NoGrantWithoutALease) {
  LocalStack stack;
  stack.Serve();
  ASSERT_EQ(stack.Write(0, Block('a')), ErrorCode::kOk);
  stack.cluster_.clock().Advance(timing::kChunkLease);
  EXPECT_THAT(stack.Grant(stack.cluster_.Address(kChunk)), StatusIs(ErrorCode::kUnavailable));
}

TEST_F(LocalGrantsTest, NoGrantUnderAnotherEpochOrFromAnotherRole) {
  Serve();
  ASSERT_EQ(Write(0, Block('a')), ErrorCode::kOk);
  const v1::ChunkAddress before = cluster_.Address(kChunk);
  cluster_.SetGroup({{kB}, {kA}});
  EXPECT_EQ(CodeAt(before), ErrorCode::kStaleEpoch);
  EXPECT_EQ(Code(), ErrorCode::kNotPrimary);
}

TEST_F(LocalGrantsTest, NoGrantBeforeTheEpochIsActivated) {
  Serve();
  ASSERT_EQ(Write(0, Block('a')), ErrorCode::kOk);
  cluster_.HoldActivations(true);
  cluster_.SetGroup({{kA}, {kB}});
  EXPECT_EQ(Code(), ErrorCode::kBusy);
  cluster_.HoldActivations(false);
  EXPECT_TRUE(Eventually([&] { return Code() == ErrorCode::kOk; }));
}

TEST_F(LocalGrantsTest, NoGrantWhileAWriteIsOnItsWayToAMember) {
  Serve();
  ASSERT_EQ(Write(0, Block('a')), ErrorCode::kOk);
  cluster_.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('b'), 77);
  EXPECT_EQ(Code(), ErrorCode::kBusy);
  cluster_.network().ReleaseAll();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_EQ(Code(), ErrorCode::kOk);
}

TEST_F(LocalGrantsTest, WhateverChangesInTheStoreIsCountedAndAReadIsNot) {
  Serve();
  ASSERT_EQ(Write(0, Block('a') + Block('b')), ErrorCode::kOk);
  v1::ChunkAddress cut = At(2);
  cut.mutable_cuts(0)->set_length(kBlockSize);
  BlockInstall install;
  install.info = **store_->Info(kChunk);
  install.group = kGroup;
  install.chunk_size = kTestChunkSize;
  install.absent_blocks = {1};
  const auto counts = [&](const auto& change) {
    const std::optional<uint64_t> before = page_->QuietChange(kChunk);
    EXPECT_THAT(change(), IsOk());
    const std::optional<uint64_t> after = page_->QuietChange(kChunk);
    return before.has_value() && after.has_value() && *after > *before;
  };
  const auto read = [&](const v1::ChunkAddress& chunk) {
    return store_->Read(kChunk, FileOf(chunk), 0, kBlockSize);
  };
  EXPECT_TRUE(counts([&] { return store_->InstallBlocks(install); }));
  EXPECT_FALSE(counts([&] { return read(At(1)); }));
  EXPECT_TRUE(counts([&] { return store_->Adopt(kChunk); }));
  ASSERT_EQ(Write(0, Block('a') + Block('b')), ErrorCode::kOk);
  EXPECT_FALSE(counts([&] { return read(cut); }));
  EXPECT_TRUE(counts([&] { return store_->Remove(kChunk, FileOf(cut), false); }));
  EXPECT_TRUE(counts([&] { return store_->Remove(kChunk, FileOf(At(3)), true); }));
  EXPECT_TRUE(counts([&] { return store_->Drop(kChunk); }));
}

TEST(RuleC9, AChunkThatMissedACutIsNotGivenNorOneOfALaterGeneration) {
  LocalStack stack;
  stack.Serve();
  ASSERT_EQ(stack.Write(0, Block('a') + Block('b')), ErrorCode::kOk);
  EXPECT_THAT(stack.Grant(stack.At(2)), StatusIs(ErrorCode::kBusy));
  // The trimmer applies it.
  v1::ChunkAddress cut = stack.At(2);
  cut.mutable_cuts(0)->set_length(kBlockSize);
  ASSERT_THAT(stack.store_->Remove(kChunk, FileOf(cut), /*whole=*/false), IsOk());
  EXPECT_THAT(stack.Grant(cut), IsOk());
  EXPECT_THAT(stack.Grant(stack.At(1)), StatusIs(ErrorCode::kStaleGeneration));
}

}  // namespace
}  // namespace cairn

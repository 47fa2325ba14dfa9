#include "chunkserver/service/request_checks.h"

#include <gtest/gtest.h>

#include "common/ids.h"
#include "rpc/chunk_token.h"

namespace cairn {
namespace {

v1::ChunkAddress GoodAddress() {
  v1::ChunkAddress address;
  address.set_inode(5);
  address.set_chunk_size(kMinChunkSize);
  return address;
}

v1::ReadChunkRequest GoodRead() {
  v1::ReadChunkRequest read;
  *read.mutable_chunk() = GoodAddress();
  read.set_length(kBlockSize);
  return read;
}

v1::WriteChunkRequest GoodWrite() {
  v1::WriteChunkRequest write;
  *write.mutable_chunk() = GoodAddress();
  write.add_crcs(1);
  return write;
}

TEST(RequestChecksTest, ChunkSizesArePowersOfTwoWithinTheLimits) {
  v1::ChunkAddress address = GoodAddress();
  EXPECT_TRUE(CheckRequest(address).ok());
  for (const uint32_t size : {0u, 4096u, kMinChunkSize + 1, kMaxChunkSize * 2, ~0u}) {
    address.set_chunk_size(size);
    EXPECT_EQ(CheckRequest(address).code(), ErrorCode::kInvalidArgument) << size;
  }
}

TEST(RequestChecksTest, ATokenIsAtMostAsLongAsTokensAre) {
  v1::ChunkAddress address = GoodAddress();
  address.set_token(std::string(kMaxTokenBytes, 't'));
  EXPECT_TRUE(CheckRequest(address).ok());
  address.set_token(std::string(kMaxTokenBytes + 1, 't'));
  EXPECT_EQ(CheckRequest(address).code(), ErrorCode::kTooLarge);
}

TEST(RequestChecksTest, OneToTenThousandStoredChunksAreListedAtOnce) {
  v1::ListStoredRequest list;
  for (const uint32_t limit : {0u, 10001u, ~0u}) {
    list.set_limit(limit);
    EXPECT_EQ(CheckRequest(list).code(), ErrorCode::kInvalidArgument) << limit;
  }
  for (const uint32_t limit : {1u, 10000u}) {
    list.set_limit(limit);
    EXPECT_TRUE(CheckRequest(list).ok()) << limit;
  }
}

TEST(RequestChecksTest, ChunksToSetAsideAreOfAnInodeAndNotTooMany) {
  v1::SetAsideRequest aside;
  aside.add_chunks()->set_inode(5);
  EXPECT_TRUE(CheckRequest(aside).ok());
  aside.add_chunks();
  EXPECT_EQ(CheckRequest(aside).code(), ErrorCode::kInvalidArgument);
  while (aside.chunks_size() <= 10000) aside.add_chunks()->set_inode(5);
  EXPECT_EQ(CheckRequest(aside).code(), ErrorCode::kTooLarge);
}

TEST(RequestChecksTest, AClientsSyncSaysOfEachChunkHowOldItsWritesAre) {
  v1::SyncChunksRequest sync;
  EXPECT_TRUE(CheckRequest(sync).ok());
  *sync.add_chunks() = GoodAddress();
  EXPECT_EQ(CheckRequest(sync).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(CheckReplicaRequest(sync).ok());
  sync.add_oldest_write_epochs(1);
  EXPECT_TRUE(CheckRequest(sync).ok());
  sync.add_oldest_write_epochs(1);
  EXPECT_EQ(CheckRequest(sync).code(), ErrorCode::kInvalidArgument);
}

TEST(RequestChecksTest, AtMost64Cuts) {
  v1::ChunkAddress address = GoodAddress();
  for (int i = 0; i < 64; ++i) address.add_cuts();
  EXPECT_TRUE(CheckRequest(address).ok());
  address.add_cuts();
  EXPECT_EQ(CheckRequest(address).code(), ErrorCode::kTooLarge);
}

TEST(RequestChecksTest, ReadsAreOfWholeBlocksInsideTheChunk) {
  v1::ReadChunkRequest read = GoodRead();
  EXPECT_TRUE(CheckRequest(read).ok());
  read.set_offset(1);
  EXPECT_FALSE(CheckRequest(read).ok());
  read = GoodRead();
  read.set_length(0);
  EXPECT_FALSE(CheckRequest(read).ok());
  read.set_length(2 * kMaxTransferBytes);
  EXPECT_EQ(CheckRequest(read).code(), ErrorCode::kTooLarge);
  read = GoodRead();
  read.set_offset(kMinChunkSize);
  EXPECT_FALSE(CheckRequest(read).ok());
  read.set_offset(0xfffff000);
  EXPECT_FALSE(CheckRequest(read).ok());
}

TEST(RequestChecksTest, WritesHaveOneCrcPerPiece) {
  const Payload bytes = Payload::CopyOf(std::string(kBlockSize, 'x'));
  v1::WriteChunkRequest write = GoodWrite();
  EXPECT_TRUE(CheckRequest(write, bytes).ok());
  write.set_offset(1);
  EXPECT_FALSE(CheckRequest(write, bytes).ok());
  write.add_crcs(2);
  EXPECT_TRUE(CheckRequest(write, bytes).ok());
  EXPECT_FALSE(CheckRequest(write, Payload()).ok());
  write.set_offset(kMinChunkSize - 1);
  EXPECT_FALSE(CheckRequest(write, bytes).ok());
}

TEST(RequestChecksTest, AReplicatedWriteHasAVersion) {
  const Payload bytes = Payload::CopyOf(std::string(kBlockSize, 'x'));
  v1::ReplicateRequest replicate;
  *replicate.mutable_write() = GoodWrite();
  EXPECT_FALSE(CheckRequest(replicate, bytes).ok());
  replicate.set_version_counter(1);
  EXPECT_TRUE(CheckRequest(replicate, bytes).ok());
}

TEST(RequestChecksTest, InstalledBlocksLieInsideTheChunk) {
  const Payload bytes = Payload::CopyOf(std::string(kBlockSize, 'x'));
  v1::InstallBlocksRequest install;
  install.mutable_summary()->set_inode(5);
  install.set_chunk_size(kMinChunkSize);
  install.add_crcs(1);
  EXPECT_TRUE(CheckRequest(install, bytes).ok());
  install.set_first_block(kMinChunkSize / kBlockSize);
  EXPECT_FALSE(CheckRequest(install, bytes).ok());
  install.set_first_block(~0u);
  EXPECT_FALSE(CheckRequest(install, bytes).ok());
}

}  // namespace
}  // namespace cairn

#include "client/token_renewal.h"

#include "tests/client/mount_fixture.h"

namespace cairn::testing {

namespace {

class TokenRenewalTest : public MountTest {
 protected:
  // Every token that was given out is refused; new ones are good.
  void ExpireTokens() {
    cluster_.metadata().SetTokenKey(++key_);
    cluster_.chunks().RefuseTokensBefore(key_);
  }
  uint64_t Renewals() { return cluster_.script().Count(v1::METADATA_RENEW_TOKENS); }
  uint64_t Opens() { return cluster_.script().Count(v1::METADATA_OPEN); }

  uint32_t key_ = 1;
};
using RuleL1Client = TokenRenewalTest;

TEST_F(TokenRenewalTest, AGoodTokenIsNotAskedForAgain) {
  const OpenFilePtr file = Create("x");
  ASSERT_TRUE(Write(file, 0, Pattern(5 << 20)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 100), Pattern(5 << 20).substr(0, 100));
  Close(file);
  EXPECT_EQ(Renewals(), 0u);
  EXPECT_EQ(Opens(), 0u);
}

TEST_F(TokenRenewalTest, ManyFramesThatAreRefusedAskOnce) {
  const OpenFilePtr file = Create("x");
  ExpireTokens();
  ASSERT_TRUE(Write(file, 0, Pattern(8 << 20)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Renewals(), 1u);
  EXPECT_EQ(Opens(), 0u);
  EXPECT_EQ(Read(file, 1 << 20, 100), Pattern(8 << 20).substr(1 << 20, 100));
  Close(file);
}

TEST_F(TokenRenewalTest, ACutOfOnesOwnBringsTheTokenForItsGeneration) {
  const OpenFilePtr file = Create("x");
  ASSERT_TRUE(Write(file, 0, Pattern(10'000)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  SetAttributes cut;
  cut.size = 100;
  ASSERT_TRUE(mount_->SetAttributesOf(who_, inode_, cut).has_value());
  ASSERT_TRUE(Write(file, 5000, "abc").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Renewals(), 0u);
  Close(file);
}

TEST_F(TokenRenewalTest, AfterACutBySomebodyElseTheTokenIsRenewedOnce) {
  const OpenFilePtr file = Create("x");
  ASSERT_TRUE(Write(file, 0, Pattern(10'000)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  cluster_.metadata().TruncateByOther(inode_.value, 100);
  ASSERT_TRUE(mount_->GetAttributes(inode_).has_value());
  ASSERT_TRUE(Write(file, 5000, "abc").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Renewals(), 1u);
  Close(file);
}

TEST_F(TokenRenewalTest, AReadAndAnFsyncRenewToo) {
  OpenFilePtr file = Create("x");
  ASSERT_TRUE(Write(file, 0, Pattern(100'000)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  Close(file);
  file = Open(inode_, O_RDONLY).file;
  ExpireTokens();
  EXPECT_EQ(Read(file, 0, 100'000), Pattern(100'000));
  EXPECT_EQ(Renewals(), 1u);
  Close(file);
  file = Open(inode_).file;
  ASSERT_TRUE(Write(file, 0, "abc").ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] { return cluster_.chunks().writes_run() > 1; }));
  ExpireTokens();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  EXPECT_EQ(Renewals(), 2u);
  Close(file);
}

TEST_F(TokenRenewalTest, WhatCannotBeRenewedIsOpenedAgain) {
  const OpenFilePtr file = Create("x");
  cluster_.metadata().ForgetTokenKeys();
  ExpireTokens();
  ASSERT_TRUE(Write(file, 0, Pattern(100)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Opens(), 2u);  // once for each right
  EXPECT_EQ(Read(file, 0, 100), Pattern(100));
  Close(file);
}

TEST_F(TokenRenewalTest, AClusterWithoutAKeyIsWaitedFor) {
  cluster_.metadata().SetTokenKey(0);
  const OpenFilePtr file = Create("x");
  ASSERT_TRUE(Write(file, 0, Pattern(100)).ok());
  mount_->Flush(file).ok();
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_OPEN, 2));
  cluster_.metadata().SetTokenKey(1);
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(cluster_.chunks().writes_run(), 1u);
  Close(file);
}

TEST_F(TokenRenewalTest, EachRightHasItsToken) {
  OpenFilePtr writer = Create("x", O_WRONLY);
  ASSERT_TRUE(Write(writer, 0, Pattern(1000)).ok());
  ASSERT_TRUE(mount_->Fsync(writer).ok());
  OpenFilePtr reader = Open(inode_, O_RDONLY).file;
  EXPECT_EQ(Read(reader, 0, 1000), Pattern(1000));
  ASSERT_TRUE(Write(writer, 1000, Pattern(1000)).ok());
  ASSERT_TRUE(mount_->Fsync(reader).ok());
  EXPECT_EQ(Renewals(), 0u);
  Close(reader);
  Close(writer);
}

// Else one that is not used for hours would lose the rights it was opened with.
TEST_F(TokenRenewalTest, TokensOfFilesThatAreNotUsedAreRenewedToo) {
  MountOptions options = cluster_.Options();
  options.token_renewal = std::chrono::milliseconds(20);
  Mount(options);
  std::vector<OpenFilePtr> files;
  for (int i = 0; i < 600; ++i) files.push_back(Create("f" + std::to_string(i)));
  cluster_.metadata().SetTokenKey(++key_);
  const uint64_t before = Renewals();
  // The second that begins from now on has asked for all of them, in two requests.
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_RENEW_TOKENS, before + 6));
  cluster_.metadata().ForgetTokenKeys();
  cluster_.chunks().RefuseTokensBefore(key_);
  for (const OpenFilePtr& file : {files.front(), files.back()}) {
    ASSERT_TRUE(Write(file, 0, "late").ok());
    ASSERT_TRUE(mount_->Fsync(file).ok());
  }
  EXPECT_EQ(Opens(), 0u);
  for (OpenFilePtr& file : files) Close(std::move(file));
}

TEST_F(RuleL1Client, AFencedSessionIsLostAndItsFilesAnswerEioUntilClosed) {
  const OpenFilePtr file = Create("old");
  ASSERT_TRUE(Write(file, 0, Pattern(1000)).ok());
  cluster_.chunks().Fence(101);
  cluster_.metadata().DropSessions();
  ExpectCode(mount_->Fsync(file), ErrorCode::kIoError);
  EXPECT_EQ(cluster_.chunks().writes_run(), 0u);
  EXPECT_EQ(cluster_.script().Count(v1::METADATA_RENEW_SESSION), 0u);  // nobody had to ask
  ExpectCode(Write(file, 0, "more"), ErrorCode::kIoError);
  ExpectCode(internal::StatusOf(mount_->Read(file, 0, 10)), ErrorCode::kIoError);
  const OpenFilePtr fresh = Create("new");
  ASSERT_TRUE(Write(fresh, 0, "abc").ok());
  EXPECT_TRUE(mount_->Fsync(fresh).ok());
  ExpectCode(Write(file, 0, "more"), ErrorCode::kIoError);
  (void)mount_->Flush(file);
  mount_->Release(file);
  Close(fresh);
}

}  // namespace

}  // namespace cairn::testing

#include "tests/metaserver/operations/extending.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;

class ExtendTest : public ExtendingTest {};
CAIRN_OVER_BOTH_STORES(ExtendTest);

// No more cuts can be recorded: the file is not made longer before the one that is due was made.
TEST_P(ExtendTest, RuleL5WhoMakesTheFileLongerWaitsUntilItCanBeCut) {
  fs_.InSession(0);
  fs_.Truncate("/x", 3 * kMiB);
  for (uint64_t cut = 1; cut <= static_cast<uint64_t>(kMaxCuts); ++cut) {
    fs_.Truncate("/x", kMiB + 1000);
    ASSERT_EQ(fs_.Truncate("/x", cut), Code::kOk);
  }
  fs_.InSession(first_);
  fs_.Truncate("/x", 1000);
  fs_.Extend("/x", 0, 4);
  const uint64_t generation = Generation();
  EXPECT_EQ(fs_.CloseSession(first_), Code::kOk);
  EXPECT_EQ(Generation(), generation);
  EXPECT_EQ(fs_.Truncate("/x", kMiB), Code::kBusy);
  fs_.InSession(second_);
  EXPECT_EQ(fs_.Extend("/x", 0, 4), Code::kBusy);
  fs_.FinishTrim("/x", generation);
  EXPECT_EQ(fs_.Extend("/x", 0, 4), Code::kOk);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("{}:1000", generation + 1));
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(second_));
}

// What the one that is shut out wrote may still be on its way.
TEST_P(ExtendTest, RuleL1WhatADeadMountsCutDropsWaitsForItsFence) {
  const InodeId file(fs_.Inode("/x").attributes().inode());
  fs_.InSession(first_);
  ASSERT_EQ(fs_.Extend("/x", 0, 4), Code::kOk);
  v1::Command close;
  close.mutable_close_session()->set_session(first_);
  close.mutable_close_session()->set_fence(true);
  ASSERT_EQ(fs_.Run(close), Code::kOk);
  EXPECT_EQ(fs_.Find<v1::TrimRecord>(schema::TrimKey(file))->after_fence(), 1u);
}

TEST_P(ExtendTest, ManyGapsBecomeAFew) {
  fs_.InSession(first_);
  for (uint32_t gap = 0; gap < 2 * kMaxExtendRuns; ++gap) fs_.Extend("/x", 10 * gap, 1);
  const auto row = fs_.Find<v1::ExtendRecord>(schema::ExtendKey(fs_.Resolve("/x")));
  EXPECT_EQ(row->runs_size(), kMaxExtendRuns);
  EXPECT_EQ(EndOfRuns(row->runs()), 10u * (2 * kMaxExtendRuns - 1) + 1);
}

TEST_P(ExtendTest, NonsenseIsRefused) {
  fs_.MakeDirectory("/d");
  EXPECT_EQ(fs_.Extend("/x", 0, 1), Code::kInvalidArgument);  // of no session
  fs_.InSession(first_);
  EXPECT_EQ(fs_.Extend("/x", 0, 0), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Extend("/x", UINT32_MAX, 1), Code::kFileTooBig);
  EXPECT_EQ(fs_.Extend("/x", 0, kMaxExtendChunks), Code::kOk);
  EXPECT_EQ(fs_.Extend("/x", 0, kMaxExtendChunks + 1), Code::kTooLarge);
  EXPECT_EQ(fs_.Extend("/d", 0, 1), Code::kIsDirectory);
  fs_.InSession(first_ + 1000);
  EXPECT_EQ(fs_.Extend("/x", 0, 1), Code::kUnknownSession);
}

}  // namespace

}  // namespace cairn::testing

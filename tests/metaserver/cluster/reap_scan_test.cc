#include "metaserver/cluster/reap_scan.h"

#include <gtest/gtest.h>

#include "metaserver/store/schema.h"
#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {
namespace {

class ReapScanTest : public ::testing::Test {
 protected:
  void MakeOrphan(uint64_t inode, uint32_t chunks) {
    v1::InodeRecord record;
    record.mutable_file()->set_generation(1);
    record.mutable_file()->add_runs()->set_count(chunks);
    state_.Put(schema::InodeKey(InodeId(inode)), record);
    state_.Put(schema::OrphanKey(InodeId(inode)), v1::OrphanRecord());
  }
  std::vector<ReapItem> Next(size_t max_chunks = 10) {
    const auto items = scan_.Next(*state_.View(), max_chunks, passed_fences_,
                                  [this](InodeId inode, bool) { return inode == skipped_; });
    EXPECT_THAT(items, IsOk());
    return *items;
  }
  std::vector<uint64_t> Inodes(const std::vector<ReapItem>& items) {
    std::vector<uint64_t> inodes;
    for (const ReapItem& item : items) inodes.push_back(item.inode.value);
    return inodes;
  }

  FakeState state_;
  ReapScan scan_;
  InodeId skipped_;
  uint64_t passed_fences_ = 0;
};

TEST_F(ReapScanTest, RuleL1ARowWaitsForItsOwnFenceAndForNoLaterOne) {
  for (uint64_t inode = 1; inode <= 3; ++inode) {
    MakeOrphan(inode, 2);
    v1::OrphanRecord orphan;
    orphan.set_after_fence(inode - 1);
    state_.Put(schema::OrphanKey(InodeId(inode)), orphan);
    v1::TrimRecord trim;
    trim.set_after_fence(inode - 1);
    trim.add_runs()->set_count(1);
    state_.Put(schema::TrimKey(InodeId(10 + inode)), trim);
  }
  EXPECT_EQ(Inodes(Next()), (std::vector<uint64_t>{11, 1}));
  passed_fences_ = 1;
  EXPECT_EQ(Inodes(Next()), (std::vector<uint64_t>{11, 12, 1, 2}));
}

TEST_F(ReapScanTest, GoesOnWhereItStoppedAndThenRound) {
  for (uint64_t inode = 1; inode <= 3; ++inode) MakeOrphan(inode, 6);
  EXPECT_EQ(Inodes(Next(12)), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(Inodes(Next(12)), (std::vector<uint64_t>{3}));
  EXPECT_EQ(Inodes(Next(12)), (std::vector<uint64_t>{1, 2}));
}

TEST_F(ReapScanTest, AnInodeThatDidNotAdvanceComesAgainWithTheSameChunks) {
  MakeOrphan(1, 25);
  const std::vector<ReapItem> first = Next();
  EXPECT_FALSE(first[0].complete);
  EXPECT_EQ(Next()[0].chunks.front().index(), 0u);
  scan_.Advance(first[0]);
  EXPECT_EQ(Next()[0].chunks.front().index(), 10u);
}

TEST_F(ReapScanTest, TheLastPageIsMarked) {
  MakeOrphan(1, 25);
  for (const uint32_t first : {0u, 10u, 20u}) {
    const std::vector<ReapItem> items = Next();
    EXPECT_EQ(items[0].chunks.front().index(), first);
    EXPECT_EQ(items[0].complete, first == 20);
    scan_.Advance(items[0]);
  }
}

TEST_F(ReapScanTest, PassesOverWhatItIsTold) {
  MakeOrphan(1, 1);
  MakeOrphan(2, 1);
  skipped_ = InodeId(1);
  EXPECT_EQ(Inodes(Next()), (std::vector<uint64_t>{2}));
}

TEST_F(ReapScanTest, ALaterCutStartsOver) {
  v1::InodeRecord record;
  record.mutable_file()->set_generation(1);
  state_.Put(schema::InodeKey(InodeId(1)), record);
  v1::TrimRecord trim;
  trim.set_generation(1);
  AddRun(*trim.mutable_runs(), 0, 15);
  state_.Put(schema::TrimKey(InodeId(1)), trim);
  scan_.Advance(Next()[0]);
  EXPECT_EQ(Next()[0].chunks.front().index(), 5u);
  trim.set_generation(2);
  state_.Put(schema::TrimKey(InodeId(1)), trim);
  EXPECT_EQ(Next()[0].chunks.front().index(), 0u);
}

TEST_F(ReapScanTest, AnEndlessTrimDoesNotKeepOrphansWaiting) {
  v1::TrimRecord trim;
  AddRun(*trim.mutable_runs(), 0, 4'000'000'000);
  state_.Put(schema::InodeKey(InodeId(1)), v1::InodeRecord());
  state_.Put(schema::TrimKey(InodeId(1)), trim);
  MakeOrphan(2, 1);
  EXPECT_EQ(Inodes(Next()), (std::vector<uint64_t>{1, 2}));
}

}  // namespace
}  // namespace cairn

#include "raft/core/raft_log.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn::raft {
namespace {

// What a disk holds.
class Disk final : public LogReader {
 public:
  std::vector<LogEntry> entries;
  Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t) override {
    std::vector<LogEntry> found;
    for (const LogEntry& entry : entries) {
      if (entry.index >= from) found.push_back(entry);
    }
    return found;
  }
};

LogEntry Entry(uint64_t term, uint64_t index) {
  return {Term(term), LogIndex(index), "t" + std::to_string(term)};
}

class RaftLogTest : public ::testing::Test {
 protected:
  // Entries 1.. of these terms.
  RaftLog Make(const std::vector<uint64_t>& terms) {
    RaftLog log(StartState{{}, {}, LogIndex(1), LogIndex(0), {}, {}, {}}, disk_);
    for (uint64_t term : terms) log.Append(Entry(term, log.last_index().value + 1));
    return log;
  }
  Disk disk_;
};

TEST_F(RaftLogTest, KnowsTheTermOfEveryEntry) {
  const RaftLog log = Make({1, 1, 3, 3, 4});
  EXPECT_EQ(log.TermAt(LogIndex(0)), Term(0));
  EXPECT_EQ(log.TermAt(LogIndex(2)), Term(1));
  EXPECT_EQ(log.TermAt(LogIndex(3)), Term(3));
  EXPECT_EQ(log.TermAt(LogIndex(5)), Term(4));
  EXPECT_EQ(log.TermAt(LogIndex(6)), std::nullopt);
  EXPECT_EQ(log.last_term(), Term(4));
}

TEST_F(RaftLogTest, ALaterTermOrALongerLogCoversIt) {
  const RaftLog log = Make({1, 2, 2});
  EXPECT_TRUE(log.IsCoveredBy(LogIndex(1), Term(3)));
  EXPECT_TRUE(log.IsCoveredBy(LogIndex(3), Term(2)));
  EXPECT_FALSE(log.IsCoveredBy(LogIndex(2), Term(2)));
  EXPECT_FALSE(log.IsCoveredBy(LogIndex(9), Term(1)));
}

TEST_F(RaftLogTest, TheLastCommonPointIsFoundByTerm) {
  const RaftLog log = Make({1, 1, 3, 3, 5});
  EXPECT_EQ(log.LastCommon(LogIndex(9), Term(5)), LogIndex(5));
  EXPECT_EQ(log.LastCommon(LogIndex(9), Term(4)), LogIndex(4));
  EXPECT_EQ(log.LastCommon(LogIndex(3), Term(4)), LogIndex(3));
  EXPECT_EQ(log.LastCommon(LogIndex(9), Term(2)), LogIndex(2));
  EXPECT_EQ(log.LastCommon(LogIndex(9), Term(0)), LogIndex(0));
}

TEST_F(RaftLogTest, WhatIsCutIsNotPersistedAnyMore) {
  RaftLog log = Make({1, 1, 2});
  log.MarkPersisted(LogIndex(3), Term(2));
  log.CutAfter(LogIndex(2));
  EXPECT_EQ(log.persisted(), LogIndex(2));
  EXPECT_EQ(log.last_term(), Term(1));
  log.Append(Entry(3, 3));
  log.MarkPersisted(LogIndex(3), Term(2));  // the notice of the one that was cut
  EXPECT_EQ(log.persisted(), LogIndex(2));
  log.MarkPersisted(LogIndex(3), Term(3));
  EXPECT_EQ(log.persisted(), LogIndex(3));
}

TEST_F(RaftLogTest, OldEntriesAreReadFromDiskButNeverOnesThatWereCut) {
  RaftLog log = Make({1, 1, 1, 1});
  for (uint64_t i = 1; i <= 4; ++i) disk_.entries.push_back(Entry(1, i));
  log.MarkPersisted(LogIndex(4), Term(1));
  log.TrimCache(LogIndex(2), 0);
  log.CutAfter(LogIndex(2));
  log.Append(Entry(2, 3));
  EXPECT_EQ(*log.Read(LogIndex(1), LogIndex(3), 1000), (std::vector{Entry(1, 1), Entry(1, 2)}));
  EXPECT_EQ(*log.Read(LogIndex(3), LogIndex(3), 1000), (std::vector{Entry(2, 3)}));
}

TEST_F(RaftLogTest, ReadsAtLeastOneEntryAndThenWhatFits) {
  const RaftLog log = Make({1, 1, 1});
  EXPECT_EQ(log.Read(LogIndex(1), LogIndex(3), 1)->size(), 1u);
  EXPECT_EQ(log.Read(LogIndex(1), LogIndex(3), 4)->size(), 2u);
  EXPECT_EQ(log.Read(LogIndex(2), LogIndex(2), 1000)->size(), 1u);
}

TEST_F(RaftLogTest, AfterCompactionTheTermBeforeTheFirstEntryIsStillKnown) {
  RaftLog log = Make({1, 1, 2, 2});
  log.MarkPersisted(LogIndex(4), Term(2));
  log.Compacted(LogIndex(3));
  EXPECT_EQ(log.first_index(), LogIndex(3));
  EXPECT_EQ(log.TermAt(LogIndex(2)), Term(1));
  EXPECT_EQ(log.TermAt(LogIndex(1)), std::nullopt);
  EXPECT_EQ(log.TermAt(LogIndex(3)), Term(2));
  log.Compacted(LogIndex(5));
  EXPECT_EQ(log.last_term(), Term(2));
  log.Append(Entry(2, 5));
  EXPECT_EQ(log.TermAt(LogIndex(5)), Term(2));
}

TEST_F(RaftLogTest, BeginsAnewBehindASnapshot) {
  RaftLog log = Make({1, 1});
  log.Reset(LogIndex(10), Term(4));
  EXPECT_EQ(log.first_index(), LogIndex(11));
  EXPECT_EQ(log.last_index(), LogIndex(10));
  EXPECT_EQ(log.persisted(), LogIndex(10));
  EXPECT_EQ(log.TermAt(LogIndex(10)), Term(4));
  EXPECT_EQ(log.TermAt(LogIndex(9)), std::nullopt);
  log.Append(Entry(5, 11));
  EXPECT_EQ(log.TermAt(LogIndex(11)), Term(5));
}

}  // namespace
}  // namespace cairn::raft

#include "raft/storage/log_storage.h"

#include <gtest/gtest.h>

#include "common/faulty_file.h"
#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

class LogStorageTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogStorage> Open(uint64_t applied = 0) {
    LogStorageOptions options{.segment_bytes = 4096, .applied = LogIndex(applied)};
    Result<std::unique_ptr<LogStorage>> log = LogStorage::Open(directory_, *faulty_, options);
    EXPECT_THAT(log, IsOk());
    return log.has_value() ? std::move(*log) : nullptr;
  }
  void LosePower() { files_.LosePower(random_); }

  std::string directory_ = "/log";
  ForgetfulFiles files_;
  FaultPlan plan_;
  std::unique_ptr<FileSystem> faulty_ = MakeFaultyFileSystem(files_, plan_);
  std::mt19937_64 random_{1};
};

TEST_F(LogStorageTest, KeepsEntriesOverManySegments) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 300, 1, "c", 3);
  EXPECT_GT(log->segment_count(), 5u);
  EXPECT_EQ(ReadAll(*log), Entries(1, 300, 1));
  log = Open();
  EXPECT_EQ(ReadAll(*log), Entries(1, 300, 1));
}

TEST_F(LogStorageTest, ReadsAcrossSegmentsUpToTheLimit) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 200, 1);
  EXPECT_EQ(*log->ReadEntries(LogIndex(1), 1 << 20), Entries(1, 200, 1));
  const size_t record = log_format::RecordBytes(50);
  for (uint64_t from = 1; from <= 150; ++from) {
    EXPECT_EQ(*log->ReadEntries(LogIndex(from), 50 * record), Entries(from, from + 49, 1));
  }
  EXPECT_EQ(log->ReadEntries(LogIndex(7), 0)->size(), 1u);
  EXPECT_THAT(log->ReadEntries(LogIndex(201), 1), StatusIs(ErrorCode::kNotFound));
}

TEST_F(LogStorageTest, KeepsTheKindOfEachEntry) {
  std::unique_ptr<LogStorage> log = Open();
  ASSERT_THAT(log->Write(raft::HardState{Term(1), {}}, {}), IsOk());
  const std::vector<LogEntry> entries = {
      {Term(1), LogIndex(1), "", EntryKind::kNoop},
      {Term(1), LogIndex(2), "voters", EntryKind::kMembership},
      {Term(1), LogIndex(3), "mkdir", EntryKind::kCommand}};
  ASSERT_THAT(log->Write(std::nullopt, entries), IsOk());
  EXPECT_EQ(ReadAll(*log), entries);
  log = Open();
  EXPECT_EQ(ReadAll(*log), entries);
}

TEST_F(LogStorageTest, ABatchLargerThanASegmentGetsOneOfItsOwn) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 2, 1, "c", 2, 10'000);
  WriteEntries(*log, 3, 3, 1);
  log = Open();
  EXPECT_EQ(log->ReadEntries(LogIndex(1), 1 << 20)->size(), 3u);
}

TEST_F(LogStorageTest, EntriesAloneAreOneSync) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 1, 1);
  for (uint64_t first = 2; first <= 40; first += 3) {
    const uint64_t before = files_.file_syncs();
    ASSERT_THAT(log->Write(std::nullopt, Entries(first, first + 2, 1)), IsOk());
    EXPECT_EQ(files_.file_syncs(), before + 1);
    ASSERT_THAT(log->Write(log->hard_state(), {}), IsOk());  // nothing new
    EXPECT_EQ(files_.file_syncs(), before + 1);
  }
}

TEST_F(LogStorageTest, ConflictingEntriesAreReplaced) {
  for (uint64_t from : {1, 30, 100, 139, 140, 141}) {
    directory_ = fmt::format("/log{}", from);
    std::unique_ptr<LogStorage> log = Open();
    WriteEntries(*log, 1, 140, 1, "old");
    ASSERT_GE(log->segment_count(), 3u);
    WriteEntries(*log, from, from + 5, 2, "new", 6);
    for (int open = 0; open < 2; ++open) {
      std::vector<LogEntry> wanted = Entries(1, from - 1, 1, "old");
      for (LogEntry& entry : Entries(from, from + 5, 2, "new")) wanted.push_back(std::move(entry));
      EXPECT_EQ(ReadAll(*log), wanted) << from;
      EXPECT_EQ(log->TermAt(LogIndex(from)), Term(2));
      EXPECT_EQ(log->TermAt(LogIndex(from + 6)), std::nullopt);
      log = Open();
    }
  }
}

// Entries of an earlier term may take the place of later ones (figure 8 of the paper).
TEST_F(LogStorageTest, ReplacingEntriesMayHaveALowerTerm) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 10, 1);
  WriteEntries(*log, 11, 20, 3);
  ASSERT_THAT(log->Write(raft::HardState{Term(4), {}}, Entries(11, 12, 2)), IsOk());
  log = Open();
  EXPECT_EQ(log->last_index(), LogIndex(12));
  EXPECT_EQ(log->TermAt(LogIndex(12)), Term(2));
}

TEST_F(LogStorageTest, OpensWhereANewConflictHasCutASegmentOfAnOldOne) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 20, 1, "a");
  WriteEntries(*log, 10, 15, 2, "b");
  WriteEntries(*log, 12, 13, 3, "c");
  WriteEntries(*log, 5, 6, 4, "d");
  log = Open();
  std::vector<LogEntry> wanted = Entries(1, 4, 1, "a");
  for (LogEntry& entry : Entries(5, 6, 4, "d")) wanted.push_back(std::move(entry));
  EXPECT_EQ(ReadAll(*log), wanted);
  EXPECT_EQ(log->segment_count(), 2u);
}

using RuleM4Storage = LogStorageTest;

TEST_F(RuleM4Storage, EachStartTakesADurableIncarnationAndKeepsTheTerm) {
  for (uint64_t start = 1; start <= 5; ++start) {
    std::unique_ptr<LogStorage> log = Open();
    EXPECT_EQ(log->incarnation(), Incarnation(start));
    EXPECT_EQ(log->hard_state(), raft::HardState{});
    log.reset();
    LosePower();
  }
}

TEST_F(RuleM4Storage, AVoteSurvivesAPowerCut) {
  for (uint64_t term = 1; term <= 20; ++term) {
    const raft::HardState vote{Term(term), ServerId(static_cast<uint32_t>(term % 3 + 1))};
    std::unique_ptr<LogStorage> log = Open();
    ASSERT_THAT(log->Write(vote, {}), IsOk());
    LosePower();
    EXPECT_EQ(Open()->hard_state(), vote);
  }
}

TEST_F(RuleM4Storage, TheHardStateIsOnDiskBeforeTheEntries) {
  std::unique_ptr<LogStorage> log = Open();
  plan_.Set({{.operation = FaultOperation::kSync, .where = "facts", .times = 1}});
  const auto entries = Entries(1, 1, 1);
  EXPECT_THAT(log->Write(raft::HardState{Term(1), {}}, entries), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_EQ(log->last_index(), LogIndex(0));
}

TEST_F(RuleM4Storage, AFailedSyncIsForEver) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 1, 1);
  plan_.Set({{.operation = FaultOperation::kSync, .times = 1}});
  EXPECT_THAT(log->Write(std::nullopt, Entries(2, 2, 1)), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->Write(std::nullopt, Entries(2, 2, 1)), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->Write(raft::HardState{Term(2), {}}, {}), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->Compact(LogIndex(1)), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->Reset(LogIndex(5)), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->ForgetLost(), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->Close(), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(log->ReadEntries(LogIndex(1), 1), IsOk());
}

// A full disk that says so only when it is asked to sync has lost what was written.
TEST_F(RuleM4Storage, AFullDiskThatFailsASyncHasFailed) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 1, 1);
  plan_.Set({{.operation = FaultOperation::kSync, .kind = FaultKind::kNoSpace, .times = 1}});
  EXPECT_THAT(log->Write(std::nullopt, Entries(2, 2, 1)), StatusIs(ErrorCode::kDiskFailed));
}

TEST_F(LogStorageTest, FullDiskRefusesABatchAndGoesOnWhenThereIsRoom) {
  for (uint32_t skip = 0; skip < 12; ++skip) {
    std::unique_ptr<LogStorage> log = Open();
    ASSERT_NE(log, nullptr);
    ASSERT_THAT(log->Write(raft::HardState{Term(1), {}}, {}), IsOk());
    plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .skip = skip,
                .times = 1}});
    Status status;
    uint64_t next = log->last_index().value + 1;
    while (status.ok()) {
      status = log->Write(std::nullopt, Entries(next, next, 1, "c", 900));
      if (status.ok()) ++next;
    }
    EXPECT_THAT(status, StatusIs(ErrorCode::kNoSpace));
    EXPECT_EQ(log->last_index().value, next - 1);
    EXPECT_THAT(log->Write(std::nullopt, Entries(next, next + 1, 1, "c", 900)), IsOk());
    EXPECT_EQ(ReadAll(*log), Entries(1, next + 1, 1, "c", 900));
    plan_.Clear();
  }
}

TEST_F(LogStorageTest, FullDiskRefusesAConflictAndGoesOnWhenThereIsRoom) {
  for (uint32_t skip = 0; skip < 8; ++skip) {
    directory_ = fmt::format("/log{}", skip);
    std::unique_ptr<LogStorage> log = Open();
    WriteEntries(*log, 1, 100, 1, "old");
    ASSERT_THAT(log->Write(raft::HardState{Term(2), {}}, {}), IsOk());
    plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .skip = skip,
                .times = 1}});
    const auto entries = Entries(30, 40, 2, "new");
    const Status status = log->Write(std::nullopt, entries);
    plan_.Clear();
    if (status.code() == ErrorCode::kDiskFailed) continue;  // after the cut nothing may be left
    if (!status.ok()) {
      EXPECT_THAT(status, StatusIs(ErrorCode::kNoSpace)) << skip;
      EXPECT_GE(log->last_index(), LogIndex(29));
      EXPECT_EQ(ReadAll(*log), Entries(1, log->last_index().value, 1, "old")) << skip;
      ASSERT_THAT(log->Write(std::nullopt, entries), IsOk());
    }
    for (int open = 0; open < 2; ++open) {
      EXPECT_EQ(log->last_index(), LogIndex(40));
      EXPECT_EQ(*log->ReadEntries(LogIndex(30), 1 << 20), entries);
      log = Open();
    }
  }
}

TEST_F(LogStorageTest, ATailThatCannotBeCutBackIsADiskFailure) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 1, 1);
  plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace}});
  EXPECT_THAT(log->Write(std::nullopt, Entries(2, 2, 1)), StatusIs(ErrorCode::kDiskFailed));
}

TEST_F(LogStorageTest, AFullDiskKeepsTheOldVote) {
  std::unique_ptr<LogStorage> log = Open();
  ASSERT_THAT(log->Write(raft::HardState{Term(1), ServerId(1)}, {}), IsOk());
  plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .times = 1}});
  const raft::HardState next{Term(2), ServerId(3)};
  EXPECT_THAT(log->Write(next, {}), StatusIs(ErrorCode::kNoSpace));
  EXPECT_EQ(log->hard_state().term, Term(1));
  EXPECT_THAT(log->Write(next, {}), IsOk());
  EXPECT_EQ(Open()->hard_state(), next);
}

using LogStorageDeathTest = LogStorageTest;

TEST_F(LogStorageDeathTest, ASecondVoteInATermOrAnEarlierTermStopsTheProcess) {
  std::unique_ptr<LogStorage> log = Open();
  ASSERT_THAT(log->Write(raft::HardState{Term(5), ServerId(1)}, {}), IsOk());
  EXPECT_DEATH((void)log->Write(raft::HardState{Term(5), ServerId(2)}, {}).ok(), "");
  EXPECT_DEATH((void)log->Write(raft::HardState{Term(4), ServerId(1)}, {}).ok(), "");
}

}  // namespace
}  // namespace cairn

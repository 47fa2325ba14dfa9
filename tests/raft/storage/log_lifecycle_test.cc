// A log from its birth over compaction and snapshots to its close.
#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "raft/storage/log_storage.h"
#include "tests/raft/storage/log_words.h"
#include "tests/raft/storage/watched_files.h"

namespace cairn {
namespace {

class LogLifecycleTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<LogStorage>> TryOpen(uint64_t applied,
                                              DamagePolicy policy = DamagePolicy::kRefuse) {
    return LogStorage::Open("/log", files_, {.segment_bytes = 4096, .applied = LogIndex(applied),
                                             .on_damage = policy});
  }
  std::unique_ptr<LogStorage> Open(uint64_t applied = 0) {
    Result<std::unique_ptr<LogStorage>> log = TryOpen(applied);
    EXPECT_THAT(log, IsOk());
    return log.has_value() ? std::move(*log) : nullptr;
  }

  ForgetfulFiles disk_;
  WatchedFiles files_{disk_};
};

TEST_F(LogLifecycleTest, ANewDirectoryIsToldFromALog) {
  EXPECT_FALSE(LogStorage::Exists(files_, "/log"));
  Open();
  EXPECT_TRUE(LogStorage::Exists(files_, "/log"));
}

TEST_F(LogLifecycleTest, ANewLogBelongsToNobodyUntilItIsAdopted) {
  std::unique_ptr<LogStorage> log = Open();
  EXPECT_EQ(log->self(), ServerId());
  EXPECT_EQ(log->founders(), "");
  ASSERT_THAT(log->Adopt(ServerId(3), "voters 1 2 3"), IsOk());
  ASSERT_THAT(log->Adopt(ServerId(3), "voters 1 2 3"), IsOk());
  std::mt19937_64 random(1);
  disk_.LosePower(random);
  log = Open();
  EXPECT_EQ(log->self(), ServerId(3));
  EXPECT_EQ(log->founders(), "voters 1 2 3");
}

TEST_F(LogLifecycleTest, ALogThatBelongsToAnotherOrHasEntriesIsNotAdopted) {
  std::unique_ptr<LogStorage> log = Open();
  ASSERT_THAT(log->Adopt(ServerId(3), ""), IsOk());
  EXPECT_THAT(log->Adopt(ServerId(4), ""), StatusIs(ErrorCode::kExists));
  WriteEntries(*log, 1, 1, 1);
  EXPECT_THAT(log->Adopt(ServerId(3), ""), StatusIs(ErrorCode::kExists));
  EXPECT_EQ(Open()->self(), ServerId(3));
}

TEST_F(LogLifecycleTest, FoundersHaveALimit) {
  std::unique_ptr<LogStorage> log = Open();
  EXPECT_THAT(log->Adopt(ServerId(3), std::string(kMaxFoundersBytes + 1, 'x')),
              StatusIs(ErrorCode::kTooLarge));
  EXPECT_THAT(log->Adopt(ServerId(3), std::string(kMaxFoundersBytes, 'x')), IsOk());
  EXPECT_EQ(Open()->founders().size(), kMaxFoundersBytes);
}

TEST_F(LogLifecycleTest, AClosedLogNoticesThatItsTailIsGone) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 3, 1);
  ASSERT_THAT(log->Close(), IsOk());
  ASSERT_THAT(files_.Rename("/log/" + SegmentName(LogIndex(1)), "/log/elsewhere"), IsOk());
  EXPECT_THAT(TryOpen(0), StatusIs(ErrorCode::kCorruption));
}

using RuleM2Lifecycle = LogLifecycleTest;

TEST_F(RuleM2Lifecycle, CompactionKeepsWhatIsAboveTheIndex) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 200, 1);
  const LogIndex expected = log->FirstAfterCompact(LogIndex(100));
  ASSERT_THAT(log->Compact(LogIndex(100)), IsOk());
  const LogIndex first = log->first_index();
  EXPECT_EQ(first, expected);
  EXPECT_GT(first, LogIndex(1));
  EXPECT_LE(first, LogIndex(101));
  EXPECT_THAT(log->ReadEntries(LogIndex(first.value - 1), 1), StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(log->TermAt(LogIndex(first.value - 1)), std::nullopt);
  EXPECT_EQ(log->TermAt(first), Term(1));
  log = Open(100);
  EXPECT_EQ(ReadAll(*log), Entries(first.value, 200, 1));
  ASSERT_THAT(log->Compact(LogIndex(200)), IsOk());
  EXPECT_EQ(log->segment_count(), 1u);
  EXPECT_EQ(log->last_index(), LogIndex(200));
}

TEST_F(RuleM2Lifecycle, CompactionKeepsAsManySegmentsAsItIsTold) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 300, 1);
  ASSERT_GT(log->segment_count(), 5u);
  ASSERT_THAT(log->Compact(LogIndex(300), 4), IsOk());
  EXPECT_EQ(log->segment_count(), 4u);
  ASSERT_THAT(log->Compact(LogIndex(300), 9), IsOk());
  EXPECT_EQ(log->segment_count(), 4u);
}

TEST_F(RuleM2Lifecycle, CompactedSegmentsAreUsedAgain) {
  std::unique_ptr<LogStorage> log = Open();
  for (uint64_t index = 1; index <= 500; ++index) {
    WriteEntries(*log, index, index, 1);
    ASSERT_THAT(log->Compact(LogIndex(index)), IsOk());
  }
  EXPECT_LE(files_.List("/log")->size(), 3u);  // one segment, one spare, the facts
  log = Open(500);
  EXPECT_EQ(log->last_index(), LogIndex(500));
}

// Renaming may need room of its own.
TEST_F(RuleM2Lifecycle, ASegmentThatCannotBeRemovedKeepsTheLaterOnes) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 200, 1);
  files_.SetBeforeChange([](WatchedFiles::Change change) {
    return change == WatchedFiles::Change::kNames ? Status(ErrorCode::kNoSpace, "full")
                                                  : OkStatus();
  });
  EXPECT_THAT(log->Compact(LogIndex(200)), StatusIs(ErrorCode::kNoSpace));
  files_.SetBeforeChange(nullptr);
  EXPECT_EQ(ReadAll(*log), Entries(1, 200, 1));
  EXPECT_THAT(log->Compact(LogIndex(200)), IsOk());
  EXPECT_EQ(log->segment_count(), 1u);
}

TEST_F(RuleM2Lifecycle, AResetLogIsEmptyBehindTheSnapshot) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 200, 1);
  ASSERT_THAT(log->Close(), IsOk());
  for (uint64_t snapshot : {1000, 500}) {  // ahead, then behind where the log ended
    ASSERT_THAT(log->Reset(LogIndex(snapshot + 1)), IsOk());
    for (int open = 0; open < 2; ++open) {
      EXPECT_EQ(log->first_index(), LogIndex(snapshot + 1));
      EXPECT_EQ(log->last_index(), LogIndex(snapshot));
      EXPECT_EQ(log->segment_count(), 1u);
      EXPECT_EQ(log->TermAt(LogIndex(snapshot)), std::nullopt);
      log = Open(snapshot);
    }
    WriteEntries(*log, snapshot + 1, snapshot + 100, 2);
    ASSERT_THAT(log->Close(), IsOk());
    log = Open(snapshot);
    EXPECT_EQ(ReadAll(*log), Entries(snapshot + 1, snapshot + 100, 2));
  }
}

TEST_F(LogLifecycleTest, TheCoreIsToldWhatTheDiskRemembers) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 10, 2);
  const LogEntry members{Term(5), LogIndex(11), "members", EntryKind::kMembership};
  const LogEntry later{Term(5), LogIndex(60), "more members", EntryKind::kMembership};
  const raft::HardState hard_state{Term(5), ServerId(2)};
  ASSERT_THAT(log->Write(hard_state, {&members, 1}), IsOk());
  WriteEntries(*log, 12, 59, 5);
  ASSERT_THAT(log->Write({}, {&later, 1}), IsOk());
  for (int open = 0; open < 2; ++open) {
    raft::SnapshotPoint applied{LogIndex(10), Term(2), {}};
    raft::StartState start = log->MakeStartState(applied);
    EXPECT_EQ(start.hard_state, hard_state);
    EXPECT_EQ(start.applied, applied);
    EXPECT_EQ(start.first_index, LogIndex(1));
    EXPECT_EQ(start.last_index, LogIndex(60));
    EXPECT_EQ(start.may_have_acknowledged, LogIndex());
    ASSERT_EQ(start.terms.size(), 2u);
    EXPECT_EQ(start.terms[1].index, LogIndex(11));
    EXPECT_EQ(start.terms[1].term, Term(5));
    EXPECT_EQ(start.memberships, (std::vector<LogEntry>{members, later}));
    applied.index = LogIndex(11);
    EXPECT_EQ(log->MakeStartState(applied).memberships, std::vector<LogEntry>{later});
    log = Open(10);
  }
  const LogEntry other{Term(5), LogIndex(60), "no members"};
  ASSERT_THAT(log->Write({}, {&other, 1}), IsOk());
  EXPECT_EQ(log->MakeStartState({}).memberships, std::vector<LogEntry>{members});
}

TEST_F(LogLifecycleTest, AReaderNeedNotWaitForAWriteOrItsSync) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 20, 1);
  for (const auto held : {WatchedFiles::Change::kContents, WatchedFiles::Change::kFileSync}) {
    absl::Notification reached;
    absl::Notification go_on;
    files_.SetBeforeChange([&](WatchedFiles::Change change) {
      if (change == held) {
        if (!reached.HasBeenNotified()) reached.Notify();
        go_on.WaitForNotification();
      }
      return OkStatus();
    });
    const uint64_t next = log->last_index().value + 1;
    std::thread writer([&] {
      EXPECT_THAT(log->Write(std::nullopt, Entries(next, next, 1)), IsOk());
    });
    reached.WaitForNotification();
    EXPECT_EQ(*log->ReadEntries(LogIndex(1), 1 << 20), Entries(1, next - 1, 1));
    go_on.Notify();
    writer.join();
  }
}

// Readers meet appends, conflicts and compaction; what they get is always a part of one log.
TEST_F(LogLifecycleTest, ReadersBesideTheWriterSeeOneLogAtATime) {
  std::unique_ptr<LogStorage> log = Open();
  WriteEntries(*log, 1, 100, 1, "t1.");
  std::atomic<uint64_t> lowest{1};  // nothing below is read any more
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t reads = 0;
    while (!done || reads < 100) {
      const uint64_t from = lowest + reads++ % 100;
      const auto entries = log->ReadEntries(LogIndex(from), 4000);
      if (!entries.has_value()) {
        EXPECT_THAT(entries, StatusIs(ErrorCode::kNotFound));
        continue;
      }
      uint64_t index = from;
      Term term;
      for (const LogEntry& entry : *entries) {
        EXPECT_EQ(entry, EntryAt(index++, entry.term.value, fmt::format("t{}.", entry.term)));
        EXPECT_GE(entry.term, term);  // in no log does a term fall
        term = entry.term;
      }
    }
  });
  for (uint64_t term = 2; term < 60; ++term) {
    const uint64_t last = log->last_index().value;
    WriteEntries(*log, last - term % 40, last + 60, term, fmt::format("t{}.", term), 20);
    const LogIndex through(log->last_index().value - 150);
    lowest = log->FirstAfterCompact(through).value;
    ASSERT_THAT(log->Compact(through), IsOk());
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace cairn

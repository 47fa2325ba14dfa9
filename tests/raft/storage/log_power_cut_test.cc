// The power goes at every single step of what LogStorage does.
#include <gtest/gtest.h>

#include <functional>

#include "raft/storage/log_storage.h"
#include "tests/raft/storage/log_words.h"
#include "tests/raft/storage/watched_files.h"

namespace cairn {
namespace {

constexpr uint64_t kLast = 100;  // of the log that each test begins with

Result<std::unique_ptr<LogStorage>> OpenLog(FileSystem& files, uint64_t applied = 0,
                                            DamagePolicy policy = DamagePolicy::kRefuse) {
  return LogStorage::Open("/log", files, {.segment_bytes = 4096, .applied = LogIndex(applied),
                                          .on_damage = policy});
}

// Entries 1..kLast of term 1, tag "old", in segments that begin at 1, 47 and 92: most of them of an
// earlier start, all of them below the synced mark of the facts.
void MakeLog(FileSystem& files) {
  {
    auto log = OpenLog(files);
    ASSERT_THAT(log, IsOk());
    WriteEntries(**log, 1, kLast / 2, 1, "old");
    WriteEntries(**log, kLast / 2 + 1, kLast / 2 + 20, 1, "old", 7);
  }
  auto log = OpenLog(files);
  ASSERT_THAT(log, IsOk());
  const uint64_t last = (*log)->last_index().value;
  WriteEntries(**log, last + 1, kLast, 1, "old", 3);
  ASSERT_THAT((*log)->Close(), IsOk());
}

class LogPowerCutTest : public ::testing::Test {
 protected:
  using Act = std::function<void(FileSystem& files)>;
  // `done`: the power went only after the act.
  using Check = std::function<void(FileSystem& files, bool done)>;

  // Does `act` to a log with the power going after every number of changes, and some of what was
  // not synced lost, in many ways; then `check` sees the disk.
  static void AtEveryStep(const Act& prepare, const Act& act, const Check& check) {
    bool was_cut = true;
    for (uint64_t changes = 0; was_cut; ++changes) {
      for (uint64_t seed = 0; seed < 6; ++seed) {
        SCOPED_TRACE(fmt::format("power cut after {} changes, seed {}", changes, seed));
        ForgetfulFiles disk;
        WatchedFiles files(disk);
        prepare(files);
        files.CutAfter(changes);
        act(files);
        was_cut = files.was_cut();
        std::mt19937_64 random(seed);
        disk.LosePower(random);
        check(disk, !was_cut);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
};

// The log is the old one up to `from`, then the old or the new one, in part; all of the new one if
// the write was finished.
void ExpectOldOrNew(LogStorage& log, uint64_t from, const std::vector<LogEntry>& fresh,
                    bool finished) {
  const std::vector<LogEntry> all = ReadAll(log);
  ASSERT_GE(all.size(), from - 1);
  for (uint64_t index = 1; index < from; ++index) {
    EXPECT_EQ(all[index - 1], EntryAt(index, 1, "old"));
  }
  const bool is_new = all.size() >= from && all[from - 1] == fresh[0];
  for (uint64_t index = from; index <= all.size(); ++index) {
    const LogEntry& entry = all[index - 1];
    if (!is_new) {
      EXPECT_EQ(entry, EntryAt(index, 1, "old"));
    } else {
      ASSERT_LE(index - from, fresh.size() - 1);
      EXPECT_EQ(entry, fresh[index - from]);
    }
  }
  // The hard state went first.
  if (is_new || finished) {
    EXPECT_EQ(log.hard_state().term, Term(2));
  }
  if (finished) {
    EXPECT_EQ(all.size(), from - 1 + fresh.size());
  }
  if (finished) {
    EXPECT_TRUE(is_new);
  }
  EXPECT_EQ(log.lost(), LogIndex());
}

using RuleM5PowerCut = LogPowerCutTest;

TEST_F(RuleM5PowerCut, DuringAConflictLeavesTheOldLogOrTheNewOne) {
  for (uint64_t from : {30, 47, 60, 92, 95, 100}) {
    const std::vector<LogEntry> fresh = Entries(from, from + 9, 2, "new");
    AtEveryStep(
        MakeLog,
        [&](FileSystem& files) {
          auto log = OpenLog(files);
          if (!log.has_value()) return;
          const raft::HardState hard_state{Term(2), ServerId(3)};
          (void)(*log)->Write(hard_state, fresh).ok();
        },
        [&](FileSystem& files, bool done) {
          for (int open = 0; open < 2; ++open) {
            auto log = OpenLog(files);
            ASSERT_THAT(log, IsOk());
            ExpectOldOrNew(**log, from, fresh, done);
          }
          // It can be written again, and stays.
          auto log = OpenLog(files);
          ASSERT_THAT(log, IsOk());
          ASSERT_THAT((*log)->Write(raft::HardState{Term(2), ServerId(3)}, fresh), IsOk());
          log = OpenLog(files);
          ASSERT_THAT(log, IsOk());
          ExpectOldOrNew(**log, from, fresh, true);
        });
  }
}

// The third log follows a second one that was never finished.
TEST_F(RuleM5PowerCut, DuringASecondConflictNeverBringsTheFirstLogBack) {
  const std::vector<LogEntry> fresh = Entries(50, 59, 3, "newest");
  AtEveryStep(
      [](FileSystem& files) {
        MakeLog(files);
        auto log = OpenLog(files);
        ASSERT_THAT(log, IsOk());
        WriteEntries(**log, 60, 80, 2, "middle");
      },
      [&](FileSystem& files) {
        auto log = OpenLog(files);
        if (log.has_value()) (void)(*log)->Write(raft::HardState{Term(3), {}}, fresh).ok();
      },
      [&](FileSystem& files, bool done) {
        auto log = OpenLog(files);
        ASSERT_THAT(log, IsOk());
        for (const LogEntry& entry : ReadAll(**log)) {
          const uint64_t index = entry.index.value;
          const LogEntry second = index < 60 ? EntryAt(index, 1, "old")
                                             : EntryAt(index, 2, "middle");
          EXPECT_TRUE(entry == second || (index >= 50 && entry == fresh[index - 50])) << index;
        }
        if (done) {
          EXPECT_EQ((*log)->last_index(), LogIndex(59));
        }
        EXPECT_TRUE((*log)->last_index() <= LogIndex(80));
      });
}

TEST_F(RuleM5PowerCut, DuringTheCutBeforeDamageNeverForgetsWhatIsLost) {
  for (uint64_t damaged : {1, 30, 47, 60, 95}) {
    AtEveryStep(
        [&](FileSystem& files) {
          MakeLog(files);
          const uint64_t first = damaged < 47 ? 1 : damaged < 92 ? 47 : 92;
          const std::string path = "/log/" + SegmentName(LogIndex(first));
          std::string bytes = *LoadFile(files, path);
          bytes[log_format::kSegmentHeaderBytes +
                (damaged - first) * log_format::RecordBytes(50) + 40] ^= 1;
          ASSERT_THAT(ReplaceFile(files, path, bytes), IsOk());
        },
        [](FileSystem& files) { (void)OpenLog(files, 0, DamagePolicy::kRefetch).has_value(); },
        [&](FileSystem& files, bool) {
          for (int open = 0; open < 2; ++open) {
            auto log = OpenLog(files, 0, DamagePolicy::kRefetch);
            ASSERT_THAT(log, IsOk());
            EXPECT_EQ((*log)->lost(), LogIndex(kLast));
            EXPECT_EQ(ReadAll(**log), Entries(1, damaged - 1, 1, "old"));
          }
          auto log = OpenLog(files);  // no damage is left
          ASSERT_THAT(log, IsOk());
          WriteEntries(**log, damaged, kLast, 2);
          ASSERT_THAT((*log)->ForgetLost(), IsOk());
          log = OpenLog(files);
          ASSERT_THAT(log, IsOk());
          EXPECT_EQ((*log)->last_index(), LogIndex(kLast));
          EXPECT_EQ((*log)->lost(), LogIndex());
        });
  }
}

using RuleM2PowerCut = LogPowerCutTest;

TEST_F(RuleM2PowerCut, DuringAResetLeavesTheOldLogOrAnEmptyOne) {
  for (uint64_t snapshot : {20, 46, 99, 100, 500}) {
    AtEveryStep(
        MakeLog,
        [&](FileSystem& files) {
          auto log = OpenLog(files);
          if (log.has_value()) (void)(*log)->Reset(LogIndex(snapshot + 1)).ok();
        },
        [&](FileSystem& files, bool done) {
          // The state is the snapshot, whether or not the log knows.
          auto log = OpenLog(files, snapshot, DamagePolicy::kRefetch);
          ASSERT_THAT(log, IsOk());
          EXPECT_EQ((*log)->lost(), LogIndex());
          const bool is_old = (*log)->first_index() == LogIndex(1);
          if (is_old) {
            EXPECT_EQ(ReadAll(**log), Entries(1, kLast, 1, "old"));
            EXPECT_FALSE(done);
          } else {
            EXPECT_EQ((*log)->first_index(), LogIndex(snapshot + 1));
            EXPECT_EQ((*log)->last_index(), LogIndex(snapshot));
          }
          ASSERT_THAT((*log)->Reset(LogIndex(snapshot + 1)), IsOk());
          WriteEntries(**log, snapshot + 1, snapshot + 60, 2);
          log = OpenLog(files, snapshot);
          ASSERT_THAT(log, IsOk());
          EXPECT_EQ(ReadAll(**log), Entries(snapshot + 1, snapshot + 60, 2));
        });
  }
}

TEST_F(RuleM2PowerCut, DuringAStartWithAStateAheadOfTheLogLosesNothing) {
  AtEveryStep(
      MakeLog,
      [](FileSystem& files) { (void)OpenLog(files, 500, DamagePolicy::kRefetch).has_value(); },
      [](FileSystem& files, bool) {
        auto log = OpenLog(files, 500, DamagePolicy::kRefetch);
        ASSERT_THAT(log, IsOk());
        EXPECT_EQ((*log)->first_index(), LogIndex(501));
        EXPECT_EQ((*log)->last_index(), LogIndex(500));
        EXPECT_EQ((*log)->lost(), LogIndex());
      });
}

TEST_F(RuleM2PowerCut, DuringACompactionLosesOnlyWhatWasToGo) {
  AtEveryStep(
      MakeLog,
      [](FileSystem& files) {
        auto log = OpenLog(files);
        if (log.has_value()) (void)(*log)->Compact(LogIndex(95)).ok();
      },
      [](FileSystem& files, bool done) {
        auto log = OpenLog(files, 95);
        ASSERT_THAT(log, IsOk());
        const uint64_t first = (*log)->first_index().value;
        EXPECT_LE(first, 92u);
        if (done) {
          EXPECT_EQ(first, 92u);
        }
        EXPECT_EQ(ReadAll(**log), Entries(first, kLast, 1, "old"));
      });
}

using RuleM1PowerCut = LogPowerCutTest;

TEST_F(RuleM1PowerCut, WhatWasAnsweredIsThereAfterwards) {
  uint64_t answered = 0;
  AtEveryStep(
      [](FileSystem&) {},
      [&](FileSystem& files) {
        answered = 0;
        auto log = OpenLog(files);
        if (!log.has_value() || !(*log)->Write(raft::HardState{Term(1), {}}, {}).ok()) return;
        while (answered < 60 &&
               (*log)->Write(std::nullopt, Entries(answered + 1, answered + 1, 1)).ok()) {
          ++answered;
        }
      },
      [&](FileSystem& files, bool) {
        auto log = OpenLog(files);
        ASSERT_THAT(log, IsOk());
        const uint64_t last = (*log)->last_index().value;
        EXPECT_TRUE(last == answered || last == answered + 1) << last;
        EXPECT_EQ(ReadAll(**log), Entries(1, last, 1));
      });
}

using RuleM4PowerCut = LogPowerCutTest;

TEST_F(RuleM4PowerCut, AVoteThatWasReportedIsRemembered) {
  raft::HardState reported;
  AtEveryStep(
      [](FileSystem&) {},
      [&](FileSystem& files) {
        reported = {};
        auto log = OpenLog(files);
        for (uint64_t term = 1; term <= 4 && log.has_value(); ++term) {
          const raft::HardState vote{Term(term), ServerId(static_cast<uint32_t>(term))};
          if (!(*log)->Write(vote, {}).ok()) return;
          reported = vote;
        }
      },
      [&](FileSystem& files, bool) {
        auto log = OpenLog(files);
        ASSERT_THAT(log, IsOk());
        EXPECT_GE((*log)->hard_state().term, reported.term);
        EXPECT_LE((*log)->hard_state().term.value, reported.term.value + 1);
        EXPECT_EQ((*log)->hard_state().vote.value, (*log)->hard_state().term.value);
      });
}

TEST_F(RuleM4PowerCut, NoIncarnationIsTakenTwice) {
  Incarnation taken;
  AtEveryStep(
      [](FileSystem&) {},
      [&](FileSystem& files) {
        taken = {};
        for (int start = 0; start < 3; ++start) {
          auto log = OpenLog(files);
          if (!log.has_value()) return;
          EXPECT_GT((*log)->incarnation(), taken);
          taken = (*log)->incarnation();
        }
      },
      [&](FileSystem& files, bool) {
        auto log = OpenLog(files);
        ASSERT_THAT(log, IsOk());
        EXPECT_GT((*log)->incarnation(), taken);
      });
}

}  // namespace
}  // namespace cairn

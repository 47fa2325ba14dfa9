#include "raft/single_member_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "common/faulty_file.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

// Remembers commands; durable up to where MakeDurable was last called.
class RecordingMachine final : public StateMachine {
 public:
  std::vector<std::string> Apply(std::span<const LogEntry> entries) override {
    if (on_apply) on_apply();
    std::vector<std::string> outcomes;
    for (const LogEntry& entry : entries) {
      EXPECT_EQ(entry.index.value, applied.value + 1);
      EXPECT_LE(last_term, entry.term);
      applied = entry.index;
      last_term = entry.term;
      commands.push_back(entry.command);
      outcomes.push_back("did " + entry.command);
    }
    ++batches;
    return outcomes;
  }
  LogIndex AppliedIndex() override { return applied; }
  Result<LogIndex> MakeDurable() override {
    if (!durable_error.ok()) return Fail(durable_error);
    durable = applied;
    return durable;
  }

  std::vector<std::string> commands;
  LogIndex applied;
  LogIndex durable;
  Term last_term;
  int batches = 0;
  Status durable_error;
  std::function<void()> on_apply;
};

class SingleMemberLogTest : public ::testing::Test {
 protected:
  void Open() {
    Result<std::unique_ptr<ReplicatedLog>> log = TryOpen();
    ASSERT_THAT(log, IsOk());
    log_ = std::move(*log);
  }
  Result<std::unique_ptr<ReplicatedLog>> TryOpen() {
    return OpenSingleMemberLog("/log", *faulty_, machine_, options_);
  }
  // Proposes and waits for the answer.
  Result<std::string> Propose(std::string command) {
    absl::Notification done;
    Result<std::string> outcome;
    log_->Propose(std::move(command), [&](Result<std::string> answer) {
      outcome = std::move(answer);
      done.Notify();
    });
    EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(20)));
    return outcome;
  }

  ForgetfulFiles files_;
  FaultPlan plan_;
  std::unique_ptr<FileSystem> faulty_ = MakeFaultyFileSystem(files_, plan_);
  RecordingMachine machine_;
  SingleMemberLogOptions options_{.storage = {.segment_bytes = 4096}, .on_failed = nullptr};
  std::unique_ptr<ReplicatedLog> log_;
};

TEST_F(SingleMemberLogTest, AloneAProposerCommitsOnItsOwnThread) {
  Open();
  std::thread::id committer;
  log_->Propose("a", [&](Result<std::string> outcome) {
    EXPECT_EQ(*outcome, "did a");
    committer = std::this_thread::get_id();
  });
  EXPECT_EQ(committer, std::this_thread::get_id());
  EXPECT_TRUE(log_->IsLeader());
  EXPECT_EQ(log_->CurrentTerm(), Term(1));
}

TEST_F(SingleMemberLogTest, ProposalsMadeDuringAFlushShareTheNext) {
  Open();
  constexpr int kMany = 100;
  std::atomic<int> answered = 0;
  uint64_t syncs = 0;
  bool called = false;
  machine_.on_apply = [&] {  // the first flush has just ended; these find it still under way
    if (std::exchange(called, true)) return;
    syncs = files_.file_syncs();
    for (int i = 0; i < kMany; ++i) {
      log_->Propose("later" + std::to_string(i), [&](Result<std::string> outcome) {
        EXPECT_THAT(outcome, IsOk());
        ++answered;
      });
    }
    EXPECT_EQ(answered, 0);
  };
  options_.storage.segment_bytes = 1 << 20;
  log_.reset();
  Open();
  EXPECT_THAT(Propose("first"), IsOk());
  EXPECT_EQ(answered, kMany);
  EXPECT_EQ(machine_.batches, 2);
  EXPECT_EQ(files_.file_syncs() - syncs, 1u);
}

TEST_F(SingleMemberLogTest, ManyThreadsEachGetTheirOwnAnswer) {
  Open();
  constexpr int kThreads = 8;
  constexpr int kEach = 300;
  absl::BlockingCounter answers(kThreads * kEach);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        std::string command = fmt::format("{}/{}", t, i);
        log_->Propose(command, [&answers, command](Result<std::string> outcome) {
          EXPECT_EQ(outcome.value_or("none"), "did " + command);
          answers.DecrementCount();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  answers.Wait();
  EXPECT_EQ(machine_.commands.size(), size_t{kThreads * kEach});
}

TEST_F(SingleMemberLogTest, AProposerIsNotKeptForEver) {
  Open();
  // Each answer proposes again, so that the queue is never empty.
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0;
  std::function<void(Result<std::string>)> again = [&](Result<std::string> outcome) {
    ++rounds;
    if (!stop && outcome.has_value()) log_->Propose("again", again);
  };
  log_->Propose("first", again);  // returns although the chain goes on
  EXPECT_GE(rounds, 1);
  stop = true;
  log_->Stop();
}

TEST_F(SingleMemberLogTest, RestartAppliesWhatTheStateHasForgotten) {
  Open();
  for (int i = 0; i < 200; ++i) ASSERT_THAT(Propose(std::to_string(i)), IsOk());
  log_.reset();
  std::vector<std::string> before = std::move(machine_.commands);
  machine_ = RecordingMachine();
  machine_.applied = machine_.durable = LogIndex(150);
  Open();
  EXPECT_EQ(machine_.applied, LogIndex(200));
  EXPECT_EQ(machine_.commands, std::vector<std::string>(before.begin() + 150, before.end()));
  EXPECT_EQ(log_->CurrentTerm(), Term(2));
}

TEST_F(SingleMemberLogTest, FullDiskFailsTheProposalAndTheLogGoesOn) {
  Open();
  ASSERT_THAT(Propose("a"), IsOk());
  plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .times = 1}});
  EXPECT_THAT(Propose("b"), StatusIs(ErrorCode::kNoSpace));
  EXPECT_THAT(Propose("c"), IsOk());
  log_.reset();
  machine_ = RecordingMachine();
  Open();
  EXPECT_EQ(machine_.commands, (std::vector<std::string>{"a", "c"}));
}

TEST_F(SingleMemberLogTest, FullDiskForALongTimeKeepsEverythingAnswered) {
  Open();
  std::vector<std::string> answered;
  for (int i = 0; i < 300; ++i) {
    std::string command = std::string(400, 'x') + std::to_string(i);
    // Only new segments fail, as on a disk without room.
    if (i % 20 == 5) {
      plan_.Set({{.operation = FaultOperation::kOpen, .kind = FaultKind::kNoSpace,
                  .where = "spare.tmp"}});
    }
    if (i % 20 == 15) plan_.Clear();
    Result<std::string> outcome = Propose(command);
    if (outcome.has_value()) {
      answered.push_back(command);
    } else {
      EXPECT_THAT(outcome, StatusIs(ErrorCode::kNoSpace));
    }
  }
  EXPECT_LT(answered.size(), 300u);
  EXPECT_EQ(machine_.commands, answered);
}

TEST_F(SingleMemberLogTest, TooLargeACommandIsRefused) {
  Open();
  EXPECT_THAT(Propose(std::string(log_format::kMaxCommandBytes + 1, 'x')),
              StatusIs(ErrorCode::kTooLarge));
  EXPECT_THAT(Propose(std::string(log_format::kMaxCommandBytes, 'x')), IsOk());
}

TEST_F(SingleMemberLogTest, StoppedLogRefusesWithCancelled) {
  Open();
  ASSERT_THAT(Propose("a"), IsOk());
  log_->Stop();
  log_->Stop();
  EXPECT_THAT(Propose("b"), StatusIs(ErrorCode::kCancelled));
}

using RuleM1Log = SingleMemberLogTest;

TEST_F(RuleM1Log, NothingIsAppliedOrAnsweredBeforeItIsOnDisk) {
  Open();
  uint64_t before = files_.file_syncs();
  machine_.on_apply = [&] { EXPECT_EQ(files_.file_syncs(), before + 1); };
  EXPECT_THAT(Propose("a"), IsOk());
  std::mt19937_64 random(7);
  log_.reset();
  files_.LosePower(random);
  machine_ = RecordingMachine();
  Open();
  EXPECT_EQ(machine_.commands, std::vector<std::string>{"a"});
}

using RuleM2Log = SingleMemberLogTest;

TEST_F(RuleM2Log, CompactionForgetsOnlyWhatTheStateMadeDurable) {
  Open();
  for (int i = 0; i < 500; ++i) ASSERT_THAT(Propose(std::string(100, 'x')), IsOk());
  EXPECT_GT(machine_.durable, LogIndex(0));
  size_t segments = files_.List("/log")->size() - 2;  // facts and spare
  EXPECT_LE(segments, options_.kept_segments + 1);
  log_.reset();
  LogIndex durable = machine_.durable;
  machine_ = RecordingMachine();
  machine_.applied = durable;  // the rest was lost with the power
  Open();
  EXPECT_EQ(machine_.applied, LogIndex(500));
}

TEST_F(RuleM2Log, AStateThatLostMoreThanItPromisedIsRefused) {
  Open();
  for (int i = 0; i < 500; ++i) ASSERT_THAT(Propose(std::string(100, 'x')), IsOk());
  log_.reset();
  machine_ = RecordingMachine();
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
}

TEST_F(RuleM2Log, AStateAheadOfTheLogIsRefused) {
  Open();
  ASSERT_THAT(Propose("a"), IsOk());
  log_.reset();
  machine_.applied = LogIndex(2);
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
}

TEST_F(RuleM2Log, WithoutRoomToMakeTheStateDurableTheLogGrowsAndGoesOn) {
  Open();
  machine_.durable_error = Status::Error(ErrorCode::kNoSpace, "full");
  for (int i = 0; i < 300; ++i) ASSERT_THAT(Propose(std::string(100, 'x')), IsOk());
  machine_.durable_error = OkStatus();
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Propose(std::string(100, 'x')), IsOk());
  EXPECT_LE(files_.List("/log")->size(), 5u);
}

using RuleM4Log = SingleMemberLogTest;

TEST_F(RuleM4Log, AfterAFailedSyncNothingIsCommittedAnyMore) {
  std::vector<Status> told;
  options_.on_failed = [&](const Status& cause) { told.push_back(cause); };
  Open();
  ASSERT_THAT(Propose("a"), IsOk());
  EXPECT_TRUE(told.empty());
  plan_.Set({{.operation = FaultOperation::kSync, .kind = FaultKind::kIoError, .times = 1}});
  EXPECT_THAT(Propose("b"), StatusIs(ErrorCode::kDiskFailed));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0], StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(Propose("c"), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(machine_.commands, std::vector<std::string>{"a"});
}

TEST_F(RuleM4Log, AStateThatCannotBeMadeDurableStopsTheLog) {
  Open();
  machine_.durable_error = Status::Error(ErrorCode::kIoError, "EIO");
  Result<std::string> outcome = "";
  for (int i = 0; i < 500 && outcome.has_value(); ++i) outcome = Propose(std::string(100, 'x'));
  EXPECT_THAT(outcome, StatusIs(ErrorCode::kDiskFailed));
}

}  // namespace
}  // namespace cairn

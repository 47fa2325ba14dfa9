// Random operations, full disks and power cuts against a model that says what the log may be.
#include <gtest/gtest.h>

#include "raft/storage/log_storage.h"
#include "tests/raft/storage/log_words.h"
#include "tests/raft/storage/watched_files.h"

namespace cairn {
namespace {

// A log that may be on disk: from an index of [first_low, first_high], as `entries` say, to at
// least `least_last`.
struct Candidate {
  uint64_t first_low = 1;
  uint64_t first_high = 1;
  uint64_t base = 1;  // index of entries[0]
  std::vector<LogEntry> entries;
  uint64_t least_last = 0;

  uint64_t last() const { return base + entries.size() - 1; }
  // Entries below `index`.
  std::vector<LogEntry> Before(uint64_t index) const {
    const size_t kept = std::min<size_t>(entries.size(), index - base);
    return {entries.begin(), entries.begin() + static_cast<ptrdiff_t>(kept)};
  }
  bool Matches(const LogStorage& log, const std::vector<LogEntry>& read) const {
    const uint64_t first = log.first_index().value;
    const uint64_t end = log.last_index().value;
    if (first < first_low || first > first_high || end < least_last || end > last()) return false;
    for (const LogEntry& entry : read) {
      if (entry != entries[entry.index.value - base]) return false;
    }
    return true;
  }
};

class LogModel {
 public:
  LogModel(std::mt19937_64& random, WatchedFiles& files) : random_(random), files_(files) {}

  void Open() {
    auto log = LogStorage::Open("/log", files_, {.segment_bytes = 4096,
                                                 .applied = LogIndex(applied_),
                                                 .on_damage = DamagePolicy::kRefetch});
    ASSERT_THAT(log, IsOk());
    log_ = *std::move(log);
    EXPECT_EQ(log_->lost(), LogIndex());
    const raft::HardState now = log_->hard_state();
    EXPECT_TRUE(now == hard_state_ || now == next_hard_state_);
    hard_state_ = next_hard_state_ = now;
    EXPECT_GT(log_->incarnation(), incarnation_);
    incarnation_ = log_->incarnation();
    Settle();
  }

  // A start that the power cut ends.
  void TryToOpen() {
    (void)LogStorage::Open("/log", files_, {.segment_bytes = 4096,
                                            .applied = LogIndex(applied_),
                                            .on_damage = DamagePolicy::kRefetch})
        .has_value();
  }

  // False: the disk does nothing any more, or the log is behind a state that was installed.
  bool DoSomething() {
    Status status;
    switch (random_() % 12) {
      case 0: status = Vote(); break;
      case 1: status = Compact(); break;
      case 2:
        if (random_() % 4 != 0) break;
        status = Reset();
        if (!status.ok()) return false;
        break;
      case 3:
      case 4: status = Write(FirstOfConflict()); break;
      default: status = Write(log_->last_index().value + 1); break;
    }
    if (!status.ok() && status.code() != ErrorCode::kNoSpace) return false;
    Settle(status.ok());
    return true;
  }
  void Close() {
    if (random_() % 3 == 0) (void)log_->Close().ok();
    log_.reset();
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // The log is one of the candidates; from now on it is this one. After a success it is the last.
  void Settle(bool finished = false) {
    const std::vector<LogEntry> read = ReadAll(*log_);
    const size_t from = finished ? candidates_.size() - 1 : 0;
    bool found = false;
    for (size_t i = from; i < candidates_.size(); ++i) found |= candidates_[i].Matches(*log_, read);
    EXPECT_TRUE(found) << "log " << log_->first_index().value << " to " << log_->last_index().value;
    if (finished) {
      EXPECT_EQ(log_->last_index().value, candidates_.back().last());
    }
    const uint64_t first = log_->first_index().value;
    candidates_ = {{first, first, first, read, first + read.size() - 1}};
    for (const LogEntry& entry : read) EXPECT_EQ(log_->TermAt(entry.index), entry.term);
  }

  Status Vote() {
    next_hard_state_ = {Term(hard_state_.term.value + 1),
                        ServerId(static_cast<uint32_t>(1 + Below(5)))};
    const Status status = log_->Write(next_hard_state_, {});
    if (status.ok()) hard_state_ = next_hard_state_;
    return status;
  }

  uint64_t FirstOfConflict() {
    const uint64_t last = log_->last_index().value;
    const uint64_t lowest = std::max(applied_ + 1, log_->first_index().value);
    return last < lowest ? last + 1 : lowest + Below(last - lowest + 1);
  }

  Status Write(uint64_t from) {
    const Candidate old = candidates_.back();
    Candidate next = old;
    next.entries = old.Before(from);
    std::vector<LogEntry> fresh;
    if (Below(4) == 0 || from <= old.last()) ++next_hard_state_.term.value;
    const Term term = next_hard_state_.term;
    for (uint64_t i = 0; i <= Below(6); ++i) {
      const auto kind = static_cast<EntryKind>(Below(3));
      fresh.push_back({term, LogIndex(from + i),
                       std::string(Below(10) == 0 ? Below(6000) : Below(300),
                                   static_cast<char>('a' + Below(26))),
                       kind});
    }
    next.entries.insert(next.entries.end(), fresh.begin(), fresh.end());
    next.least_last = std::min(from - 1, old.last());
    candidates_ = {old, next};
    candidates_[0].least_last = next.least_last;
    const Status status = log_->Write(next_hard_state_, fresh);
    if (status.ok()) hard_state_ = next_hard_state_;
    else if (log_->hard_state() == next_hard_state_) hard_state_ = next_hard_state_;
    return status;
  }

  Status Compact() {
    applied_ += Below(log_->last_index().value - applied_ + 1);
    const LogIndex through(applied_);
    const size_t kept = 1 + Below(3);
    candidates_.back().first_high = log_->FirstAfterCompact(through, kept).value;
    const Status status = log_->Compact(through, kept);
    if (status.ok()) candidates_.back().first_low = candidates_.back().first_high;
    return status;
  }

  // A snapshot was installed: ahead of the log, or where it tells another story.
  Status Reset() {
    applied_ += Below(log_->last_index().value - applied_ + 50);
    const uint64_t first = applied_ + 1;
    // Otherwise the next start finds the state ahead of the log.
    if (log_->last_index().value < applied_) candidates_.clear();
    candidates_.push_back({first, first, first, {}, applied_});
    return log_->Reset(LogIndex(first));
  }

  std::mt19937_64& random_;
  WatchedFiles& files_;
  std::unique_ptr<LogStorage> log_;
  std::vector<Candidate> candidates_{{}};
  raft::HardState hard_state_;
  raft::HardState next_hard_state_;
  uint64_t applied_ = 0;
  Incarnation incarnation_;
};

TEST(RuleM1, TheLogIsAlwaysOneThatItMayBe) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  ForgetfulFiles disk;
  WatchedFiles files(disk);
  LogModel model(random, files);
  for (int life = 0; life < 400 && !::testing::Test::HasFailure(); ++life) {
    SCOPED_TRACE(fmt::format("life {}", life));
    if (random() % 3 == 0) {
      files.CutAfter(random() % 25);
      model.TryToOpen();
      disk.LosePower(random);
    }
    files.SetBeforeChange(nullptr);
    model.Open();
    if (::testing::Test::HasFatalFailure()) return;
    if (life % 3 == 1) {  // now and then the disk is full
      auto random_copy = std::make_shared<std::mt19937_64>(random());
      files.SetBeforeChange([random_copy](WatchedFiles::Change change) {
        const bool full = change == WatchedFiles::Change::kContents && (*random_copy)() % 15 == 0;
        return full ? Status(ErrorCode::kNoSpace, "full") : OkStatus();
      });
    } else {
      files.CutAfter(random() % 200);
    }
    for (int i = 0; i < 40 && model.DoSomething(); ++i) {
      if (::testing::Test::HasFailure()) return;
    }
    model.Close();
    if (random() % 4 != 0) disk.LosePower(random);
  }
}

}  // namespace
}  // namespace cairn

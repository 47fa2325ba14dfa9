#include "metaserver/replicated_state.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "metaserver/store/rows.h"
#include "metaserver/store/state_hash.h"
#include "tests/metaserver/test_stores.h"
#include "tests/support/memory_log.h"

namespace cairn::testing {

namespace {

v1::Command Found() {
  v1::Command command;
  command.mutable_found_cluster()->set_cluster_id("test");
  command.mutable_found_cluster()->set_copies(1);
  return command;
}

v1::Command MakeDirectory(const std::string& name) {
  v1::Command command;
  command.mutable_make_directory()->set_parent(1);
  command.mutable_make_directory()->set_name(name);
  return command;
}

// Hands out one store, the test's.
class OneStoreHome final : public StateHome {
 public:
  explicit OneStoreHome(std::unique_ptr<KvStore> store) : store_(std::move(store)) {}
  Result<std::unique_ptr<KvStore>> Open() override { return std::move(store_); }
  Result<std::unique_ptr<KvStore>> BeginAnother() override { return MakeMemoryStore(); }
  Status Switch() override { return OkStatus(); }

 private:
  std::unique_ptr<KvStore> store_;
};

class ReplicatedStateTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReplicatedState> OpenIn(std::unique_ptr<StateHome> home) {
    const OpenLog open_log = [&](StateMachine& machine,
                                 LeadershipObserver&) -> Result<std::unique_ptr<ReplicatedLog>> {
      machine_ = &machine;
      return std::make_unique<MemoryLog>(entries_, machine);
    };
    auto state = OpenReplicatedState(std::move(home), open_log, clock_);
    CAIRN_CHECK(state.has_value());
    return *std::move(state);
  }
  std::unique_ptr<ReplicatedState> OpenOn(std::unique_ptr<KvStore> store) {
    return OpenIn(std::make_unique<OneStoreHome>(std::move(store)));
  }
  std::unique_ptr<ReplicatedState> OpenOnDisk() {
    return OpenIn(MakeLevelDbHome(directory_.path(), PosixFiles(), false));
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::vector<LogEntry> entries_;
  StateMachine* machine_ = nullptr;  // of the state opened last
};

TEST_F(ReplicatedStateTest, WhatWasAcknowledgedIsThereAfterARestart) {
  uint64_t inode = 0;
  {
    auto state = OpenOnDisk();
    EXPECT_FALSE(state->IsBorn());
    ASSERT_EQ(state->ProposeAndWait(Found())->code(), 0u);
    EXPECT_TRUE(state->IsBorn());
    inode = state->ProposeAndWait(MakeDirectory("a"))->inode();
  }
  auto state = OpenOnDisk();
  EXPECT_TRUE(state->IsBorn());
  EXPECT_EQ(LoadEntry(*state->View(), InodeId(1), "a")->inode(), inode);
  EXPECT_EQ(state->ProposeAndWait(MakeDirectory("a"))->code(),
            static_cast<uint32_t>(ErrorCode::kExists));
}

TEST_F(ReplicatedStateTest, RuleM7AReplayedLogGivesTheSameRows) {
  class Shared final : public KvStore {  // lets the test look into a store the state owns
   public:
    explicit Shared(KvStore& store) : store_(store) {}
    std::unique_ptr<ReadView> View() override { return store_.View(); }
    Status Write(const RowChanges& changes, bool sync) override {
      return store_.Write(changes, sync);
    }

   private:
    KvStore& store_;
  };
  auto first = MakeMemoryStore();
  {
    auto state = OpenOn(std::make_unique<Shared>(*first));
    state->ProposeAndWait(Found()).value();
    for (int i = 0; i < 20; ++i) {
      clock_.Advance(std::chrono::seconds(1));
      state->ProposeAndWait(MakeDirectory(std::to_string(i))).value();
    }
  }
  auto second = MakeMemoryStore();
  { auto replayed = OpenOn(std::make_unique<Shared>(*second)); }
  EXPECT_EQ(RowsOf(*first), RowsOf(*second));
  { auto again = OpenOn(std::make_unique<Shared>(*second)); }  // nothing is new
  EXPECT_EQ(RowsOf(*first), RowsOf(*second));
}

TEST_F(ReplicatedStateTest, ACommandPreparedInAnotherTermChangesNothing) {
  auto state = OpenOn(MakeMemoryStore());
  state->ProposeAndWait(Found()).value();
  v1::Command late = MakeDirectory("a");
  late.set_only_in_term(2);
  EXPECT_EQ(state->ProposeAndWait(late)->code(), static_cast<uint32_t>(ErrorCode::kUnavailable));
  EXPECT_FALSE(LoadEntry(*state->View(), InodeId(1), "a").has_value());
  late.set_only_in_term(1);
  EXPECT_EQ(state->ProposeAndWait(late)->code(), 0u);
}

// Two states with equal rows but another next id are not the same.
TEST_F(ReplicatedStateTest, RuleM7AMarkTellsOfTheCountersAsWell) {
  const auto hash_after = [&](const v1::Command& command) {
    entries_.clear();
    auto state = OpenOn(MakeMemoryStore());
    state->ProposeAndWait(Found()).value();
    state->ProposeAndWait(command).value();
    v1::Command mark;
    mark.mutable_mark_hash();
    return state->ProposeAndWait(mark)->state_hash();
  };
  v1::Command name;
  name.mutable_name_metaserver();
  v1::Command nothing;
  EXPECT_EQ(hash_after(nothing), hash_after(nothing));
  EXPECT_NE(hash_after(name), hash_after(nothing));
}

TEST_F(ReplicatedStateTest, RuleM1IdsStayUniqueOverRestartsAndThreads) {
  auto store = MakeMemoryStore();
  auto state = OpenOn(std::move(store));
  state->ProposeAndWait(Found()).value();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&state, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = std::to_string(thread) + "/" + std::to_string(i);
        EXPECT_TRUE(state->ProposeAndWait(MakeDirectory(name)).has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  state = OpenOn(MakeMemoryStore());
  state->ProposeAndWait(MakeDirectory("later")).value();
  std::set<uint64_t> ids;
  for (const LogEntry& entry : entries_) {
    v1::Command command;
    ASSERT_TRUE(command.ParseFromString(entry.command));
    if (command.new_inode() == 0) continue;
    EXPECT_TRUE(ids.insert(command.new_inode()).second);
  }
  EXPECT_EQ(ids.size(), 201u);
}

TEST_F(ReplicatedStateTest, ObserversHearOfWhatIsAppliedAndOfTheMap) {
  auto state = OpenOn(MakeMemoryStore());
  int applied = 0;
  int map_changes = 0;
  state->OnApplied([&](const v1::Command&, const v1::Outcome&) { ++applied; });
  state->OnMapChanged([&] { ++map_changes; });
  state->ProposeAndWait(Found()).value();
  EXPECT_EQ(map_changes, 1);
  v1::Command reserve;
  reserve.mutable_reserve_inodes()->set_count(1);
  state->ProposeAndWait(reserve).value();
  EXPECT_EQ(applied, 2);
  EXPECT_EQ(map_changes, 1);
}

TEST_F(ReplicatedStateTest, AfterStopNothingIsProposed) {
  auto state = OpenOn(MakeMemoryStore());
  state->ProposeAndWait(Found()).value();
  EXPECT_TRUE(state->Stop().ok());
  EXPECT_EQ(state->ProposeAndWait(MakeDirectory("a")).error().code(), ErrorCode::kUnavailable);
}

TEST_F(ReplicatedStateTest, RuleM7TheHashIsThatOfAllRowsHoweverTheyCame) {
  auto state = OpenOnDisk();
  state->ProposeAndWait(Found()).value();
  state->ProposeAndWait(MakeDirectory("a")).value();
  v1::Command mark;
  mark.mutable_mark_hash();
  const v1::Outcome marked = state->ProposeAndWait(mark).value();
  EXPECT_EQ(LoadState(*state->View())->state_hash(), *HashOf(*state->View()));
  EXPECT_EQ(state->HashAt(LogIndex(marked.index())), marked.state_hash());
  EXPECT_EQ(state->HashAt(LogIndex(1)), std::nullopt);

  // Another member gets everything in one batch.
  auto other = OpenOn(MakeMemoryStore());
  EXPECT_EQ(*HashOf(*other->View()), *HashOf(*state->View()));
  EXPECT_EQ(other->HashAt(LogIndex(marked.index())), marked.state_hash());
}

TEST_F(ReplicatedStateTest, AMarkTellsTheHashOfJustWhatIsBeforeIt) {
  auto state = OpenOn(MakeMemoryStore());
  state->ProposeAndWait(Found()).value();
  v1::Command mark;
  mark.mutable_mark_hash();
  const uint64_t empty = state->ProposeAndWait(mark)->state_hash();
  state->ProposeAndWait(MakeDirectory("a")).value();
  EXPECT_NE(state->ProposeAndWait(mark)->state_hash(), empty);
  std::vector<LogEntry> all = std::exchange(entries_, {});
  auto other = OpenOn(MakeMemoryStore());
  machine_->Apply(all);
  EXPECT_EQ(other->HashAt(LogIndex(2)), empty);
}

TEST_F(ReplicatedStateTest, ASnapshotIsTheStateOfItsPointWhateverComesLater) {
  auto state = OpenOnDisk();
  state->ProposeAndWait(Found()).value();
  state->ProposeAndWait(MakeDirectory("before")).value();
  Result<StateSnapshot> snapshot = machine_->TakeSnapshot();
  ASSERT_TRUE(snapshot.has_value());
  const uint64_t hash = *HashOf(*state->View());
  state->ProposeAndWait(MakeDirectory("later")).value();

  std::vector<LogEntry> rest = {entries_.back()};
  entries_.clear();
  TemporaryDirectory elsewhere;
  {
    auto other = OpenIn(MakeLevelDbHome(elsewhere.path(), PosixFiles(), false));
    auto held = other->View();
    ASSERT_TRUE(machine_->Install(snapshot->point, *snapshot->rows).ok());
    EXPECT_TRUE(other->IsBorn());
    EXPECT_EQ(machine_->Applied(), snapshot->point);
    EXPECT_EQ(*HashOf(*other->View()), hash);
    EXPECT_EQ(*HashOf(*held), 0u);  // a view shows what it showed
    machine_->Apply(rest);
    EXPECT_EQ(*HashOf(*other->View()), *HashOf(*state->View()));
  }
  auto again = OpenIn(MakeLevelDbHome(elsewhere.path(), PosixFiles(), false));
  EXPECT_EQ(*HashOf(*again->View()), *HashOf(*state->View()));
  EXPECT_FALSE(PosixFiles().Exists(elsewhere.path() + "/state"));
}

TEST_F(ReplicatedStateTest, ASnapshotThatIsNotOfItsPointIsRefusedAndTheStateStays) {
  auto state = OpenOnDisk();
  state->ProposeAndWait(Found()).value();
  Result<StateSnapshot> snapshot = machine_->TakeSnapshot();
  raft::SnapshotPoint other = snapshot->point;
  other.index = LogIndex(99);
  EXPECT_EQ(machine_->Install(other, *snapshot->rows).code(), ErrorCode::kCorruption);

  // One row less than it should have.
  snapshot = machine_->TakeSnapshot();
  class AllButTheFirst final : public RowSource {
   public:
    explicit AllButTheFirst(RowSource& rows) : rows_(rows) {
      std::string key, value;
      CAIRN_CHECK(*rows_.Next(key, value));
    }
    Result<bool> Next(std::string& key, std::string& value) override {
      return rows_.Next(key, value);
    }

   private:
    RowSource& rows_;
  } rest(*snapshot->rows);
  EXPECT_EQ(machine_->Install(snapshot->point, rest).code(), ErrorCode::kCorruption);
  EXPECT_EQ(machine_->Applied(), snapshot->point);
  EXPECT_TRUE(state->IsBorn());
}

}  // namespace

}  // namespace cairn::testing

#include "metaserver/replicated_state.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "metaserver/store/rows.h"
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

std::unique_ptr<ReplicatedState> OpenOn(std::unique_ptr<KvStore> store,
                                        std::vector<LogEntry>& entries, const Clock& clock) {
  const OpenLog open_log = [&](StateMachine& machine) -> Result<std::unique_ptr<ReplicatedLog>> {
    return std::make_unique<MemoryLog>(entries, machine);
  };
  return *OpenReplicatedState(std::move(store), open_log, clock);
}

class ReplicatedStateTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReplicatedState> OpenOnDisk() {
    ReplicatedStateOptions options;
    options.directory = directory_.path();
    options.files = &PosixFiles();
    options.clock = &clock_;
    auto state = ReplicatedState::Open(options);
    CAIRN_CHECK(state.has_value());
    return *std::move(state);
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  std::vector<LogEntry> entries_;
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
    auto state = OpenOn(std::make_unique<Shared>(*first), entries_, clock_);
    state->ProposeAndWait(Found()).value();
    for (int i = 0; i < 20; ++i) {
      clock_.Advance(std::chrono::seconds(1));
      state->ProposeAndWait(MakeDirectory(std::to_string(i))).value();
    }
  }
  auto second = MakeMemoryStore();
  { auto replayed = OpenOn(std::make_unique<Shared>(*second), entries_, clock_); }
  EXPECT_EQ(RowsOf(*first), RowsOf(*second));
  { auto again = OpenOn(std::make_unique<Shared>(*second), entries_, clock_); }  // nothing is new
  EXPECT_EQ(RowsOf(*first), RowsOf(*second));
}

TEST_F(ReplicatedStateTest, RuleM1IdsStayUniqueOverRestartsAndThreads) {
  auto store = MakeMemoryStore();
  auto state = OpenOn(std::move(store), entries_, clock_);
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
  state = OpenOn(MakeMemoryStore(), entries_, clock_);
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
  auto state = OpenOn(MakeMemoryStore(), entries_, clock_);
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
  auto state = OpenOn(MakeMemoryStore(), entries_, clock_);
  state->ProposeAndWait(Found()).value();
  EXPECT_TRUE(state->Stop().ok());
  EXPECT_EQ(state->ProposeAndWait(MakeDirectory("a")).error().code(), ErrorCode::kUnavailable);
}

}  // namespace

}  // namespace cairn::testing

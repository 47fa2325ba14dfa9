#include "metaserver/cluster/repair_watch.h"

#include "metaserver/store/rows.h"
#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

class RepairWatchTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(3, 3);
    StartWatch();
  }
  void StartWatch() { watch_ = std::make_unique<RepairWatch>(state_, *maps_, *registry_, clock_); }
  void Lose(uint32_t server) {
    Kill(server);
    Pass(5s);
  }
  std::optional<v1::RepairRecord> Recorded() {
    return *LoadRow<v1::RepairRecord>(*state_.View(), schema::RepairKey());
  }
  uint64_t Events() { return state_.State().next_event(); }
  std::unique_ptr<RepairWatch> watch_;
};

TEST_F(RepairWatchTest, RecordsNothingWhileAllCopiesAreThere) {
  const int proposals = state_.proposals();
  EXPECT_THAT(watch_->Tick(), IsOk());
  EXPECT_EQ(state_.proposals(), proposals);
  EXPECT_FALSE(Recorded().has_value());
}

TEST_F(RepairWatchTest, RecordsALossOnceInTheTermItLedIn) {
  Lose(2);
  uint64_t only_in_term = 0;
  state_.on_propose = [&](const v1::Command& command) { only_in_term = command.only_in_term(); };
  ASSERT_THAT(watch_->Tick(), IsOk());
  EXPECT_EQ(only_in_term, state_.serving_term.value);
  ASSERT_TRUE(Recorded().has_value());
  EXPECT_EQ(Recorded()->groups_left(), static_cast<uint32_t>(Groups()));
  EXPECT_EQ(Events(), 1u);
  const int proposals = state_.proposals();
  ASSERT_THAT(watch_->Tick(), IsOk());
  EXPECT_EQ(state_.proposals(), proposals);  // nothing changed
}

TEST_F(RepairWatchTest, WhoDoesNotLeadRecordsNothing) {
  Lose(2);
  state_.serving_term = Term();
  EXPECT_THAT(watch_->Tick(), IsOk());
  EXPECT_FALSE(Recorded().has_value());
}

TEST_F(RepairWatchTest, TheNextLeaderGoesOnWithWhatWasRecorded) {
  Lose(2);
  ASSERT_THAT(watch_->Tick(), IsOk());
  const v1::RepairRecord before = *Recorded();
  StartWatch();
  state_.serving_term = Term(2);
  Pass(5s);
  ASSERT_THAT(watch_->Tick(), IsOk());
  EXPECT_EQ(Events(), 1u);
  EXPECT_EQ(Recorded()->started().seconds(), before.started().seconds());
}

// It led, another led and recorded, it leads again.
TEST_F(RepairWatchTest, WhatAnotherLeaderRecordedReplacesWhatItRemembers) {
  Lose(2);
  ASSERT_THAT(watch_->Tick(), IsOk());
  v1::RepairRecord others = *Recorded();
  others.set_groups_total(77);
  state_.Put(schema::RepairKey(), others);
  state_.serving_term = Term(3);
  ASSERT_THAT(watch_->Tick(), IsOk());
  EXPECT_EQ(Recorded()->groups_total(), 77u);
}

TEST_F(RepairWatchTest, ARecordThatIsNotCommittedIsAnError) {
  Lose(2);
  state_.FailWith(Status(ErrorCode::kNotLeader, ""));
  EXPECT_THAT(watch_->Tick(), StatusIs(ErrorCode::kNotLeader));
}

// The proposal may fail for reasons that pass, and the event is the only one of its incident.
TEST_F(RepairWatchTest, AnEventThatCouldNotBeRecordedIsRecordedLater) {
  Lose(2);
  state_.FailWith(Status(ErrorCode::kUnavailable, ""));
  EXPECT_THAT(watch_->Tick(), StatusIs(ErrorCode::kUnavailable));
  state_.FailWith(OkStatus());
  ASSERT_THAT(watch_->Tick(), IsOk());
  ASSERT_TRUE(Recorded().has_value());
  EXPECT_EQ(Events(), 1u);
}

TEST_F(RepairWatchTest, StopsWhenTold) {
  watch_->Start();
  watch_->Stop();
}

}  // namespace
}  // namespace cairn

#include "metaserver/cluster/server_registry.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using Presence = ServerView::Presence;

class ServerRegistryTest : public ::testing::Test {
 protected:
  ServerRegistryTest() {
    record_.set_id(1);
    record_.set_incarnation(3);
    record_.set_boot_id("boot");
  }
  Status Beat(uint64_t incarnation) {
    v1::HeartbeatRequest request;
    request.set_server(1);
    request.set_incarnation(incarnation);
    request.set_total_bytes(100);
    return registry_.NoteHeartbeat(request, record_);
  }
  Presence Look() { return registry_.View(record_).presence; }

  ManualClock clock_;
  ServerRegistry registry_{clock_};
  v1::ServerRecord record_;
};

TEST_F(ServerRegistryTest, AServerIsAliveThenQuietThenGone) {
  clock_.Advance(10s);
  ASSERT_THAT(Beat(3), IsOk());
  EXPECT_EQ(Look(), Presence::kAlive);
  clock_.Advance(1s + 1ms);
  EXPECT_EQ(Look(), Presence::kQuiet);
  clock_.Advance(2500ms - 1ms);
  EXPECT_EQ(Look(), Presence::kQuiet);
  clock_.Advance(1ms);
  EXPECT_EQ(Look(), Presence::kGone);
  ASSERT_THAT(Beat(3), IsOk());
  EXPECT_EQ(Look(), Presence::kAlive);
}

TEST(RuleM8, NobodyIsGoneUntilLeasesGivenBeforeTheStartHaveEnded) {
  ManualClock clock;
  ServerRegistry registry(clock);
  v1::ServerRecord record;
  record.set_id(1);
  clock.Advance(timing::kChunkLease + timing::kMemberRemoved);
  EXPECT_EQ(registry.View(record).presence, Presence::kQuiet);
  clock.Advance(1ms);
  EXPECT_EQ(registry.View(record).presence, Presence::kGone);
}

TEST_F(ServerRegistryTest, HeartbeatsOfAnotherStartAreRefused) {
  EXPECT_THAT(Beat(2), StatusIs(ErrorCode::kStaleRequest));
  EXPECT_THAT(Beat(4), StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(Look(), Presence::kQuiet);
}

TEST(RuleC1, AShunnedServerGetsNoLeaseUntilItIsReleased) {
  ManualClock clock;
  ServerRegistry registry(clock);
  v1::ServerRecord record;
  record.set_id(1);
  record.set_incarnation(1);
  v1::HeartbeatRequest beat;
  beat.set_server(1);
  beat.set_incarnation(1);
  clock.Advance(10s);
  ASSERT_THAT(registry.NoteHeartbeat(beat, record), IsOk());
  registry.Shun(ServerId(1), "test");
  clock.Advance(2s);
  EXPECT_THAT(registry.NoteHeartbeat(beat, record), StatusIs(ErrorCode::kUnavailable));
  registry.NoteJoin(record);
  clock.Advance(2s);
  EXPECT_EQ(registry.View(record).presence, Presence::kGone);  // neither kept it alive
  registry.ReleaseShunned(ServerId(1));
  EXPECT_THAT(registry.NoteHeartbeat(beat, record), IsOk());
}

TEST_F(ServerRegistryTest, OneThatWasHeardMeanwhileIsNotCondemned) {
  clock_.Advance(10s);
  ASSERT_THAT(Beat(3), IsOk());
  EXPECT_FALSE(registry_.Condemn(record_));
  EXPECT_THAT(Beat(3), IsOk());
  clock_.Advance(10s);
  EXPECT_TRUE(registry_.Condemn(record_));
  EXPECT_THAT(Beat(3), StatusIs(ErrorCode::kUnavailable));
}

TEST_F(ServerRegistryTest, ANewProcessIsNotShunnedForTheOldOne) {
  ASSERT_THAT(Beat(3), IsOk());
  registry_.Shun(ServerId(1), "test");
  EXPECT_THAT(registry_.CheckWelcome(ServerId(1), Incarnation(3)),
              StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(registry_.CheckWelcome(ServerId(1), Incarnation(4)), IsOk());
  record_.set_incarnation(4);
  registry_.NoteJoin(record_);
  EXPECT_FALSE(registry_.IsShunned(ServerId(1)));
  EXPECT_THAT(Beat(4), IsOk());
}

TEST_F(ServerRegistryTest, ALongListOfDamageIsCutShort) {
  v1::HeartbeatRequest request;
  request.set_server(1);
  request.set_incarnation(3);
  for (uint32_t i = 0; i < 5000; ++i) request.add_damaged()->set_index(i);
  ASSERT_THAT(registry_.NoteHeartbeat(request, record_), IsOk());
  EXPECT_EQ(registry_.Counters(ServerId(1)).damaged.size(), 1000u);
}

}  // namespace
}  // namespace cairn

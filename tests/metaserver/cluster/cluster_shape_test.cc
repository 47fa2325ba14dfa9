#include "metaserver/cluster/cluster_shape.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

class ClusterShapeTest : public ClusterFixture {
 protected:
  ClusterShape Look() {
    map_ = Map();
    return LookAtShape(*map_, *registry_, clock_.WallNow());
  }
  void Set(uint32_t server, v1::ServerState state, int64_t maintenance_until = 0) {
    v1::Command command;
    command.mutable_set_server()->set_server(server);
    command.mutable_set_server()->set_state(state);
    command.mutable_set_server()->mutable_maintenance_until()->set_seconds(maintenance_until);
    ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  }
  std::shared_ptr<const MapSnapshot> map_;
};

TEST_F(ClusterShapeTest, ShowsServersAsTheyWereHeard) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  const ClusterShape shape = Look();
  ASSERT_EQ(shape.targets.size(), 3u);
  const PlacementTarget& up = shape.targets.at(ServerId(1));
  EXPECT_EQ(up.host, "host1");
  EXPECT_EQ(up.view.presence, ServerView::Presence::kAlive);
  EXPECT_EQ(up.total_bytes, 1000u);
  EXPECT_EQ(up.available_bytes, 900u);
  const PlacementTarget& down = shape.targets.at(ServerId(2));
  EXPECT_EQ(down.view.presence, ServerView::Presence::kGone);
  EXPECT_GE(down.silence, 4500ms);
  EXPECT_FALSE(down.skip_grace);
  registry_->SkipGrace(ServerId(2));
  EXPECT_TRUE(Look().targets.at(ServerId(2)).skip_grace);
}

TEST_F(ClusterShapeTest, AMaintenanceEndsByItself) {
  Build(3, 3);
  Set(1, v1::SERVER_DRAINING);
  Set(2, v1::SERVER_MAINTENANCE, clock_.WallNow().seconds + 10);
  EXPECT_TRUE(Look().targets.at(ServerId(1)).draining);
  EXPECT_FALSE(Look().targets.at(ServerId(1)).in_maintenance);
  EXPECT_TRUE(Look().targets.at(ServerId(2)).in_maintenance);
  EXPECT_FALSE(Look().targets.at(ServerId(3)).in_maintenance);
  clock_.Advance(9s);
  EXPECT_TRUE(Look().targets.at(ServerId(2)).in_maintenance);
  clock_.Advance(1s);
  EXPECT_FALSE(Look().targets.at(ServerId(2)).in_maintenance);
}

TEST_F(ClusterShapeTest, SizesAndCopiesAreWhatPrimariesSaid) {
  Build(3, 3);
  v1::HeartbeatRequest beat;
  beat.set_server(1);
  beat.set_incarnation(1);
  v1::GroupUsage& usage = *beat.add_usage();
  usage.set_group(5);
  usage.set_chunks(2);
  usage.set_bytes(300);
  v1::CopyProgress& copy = *beat.add_copies();
  copy.set_group(5);
  copy.set_member(3);
  copy.set_total_bytes(300);
  copy.set_done_bytes(200);
  copy.set_throttled(true);
  ASSERT_THAT(membership_->Heartbeat(beat), IsOk());
  const ClusterShape shape = Look();
  EXPECT_EQ(shape.sizes.at(PgId(5)).chunks, 2u);
  EXPECT_EQ(shape.sizes.at(PgId(5)).bytes, 300u);
  const CopyState& state = shape.copies.at({PgId(5), ServerId(3)});
  EXPECT_EQ(state.total_bytes, 300u);
  EXPECT_EQ(state.done_bytes, 200u);
  EXPECT_TRUE(state.throttled);
  EXPECT_EQ(shape.sizes.count(PgId(6)), 0u);
}

}  // namespace
}  // namespace cairn

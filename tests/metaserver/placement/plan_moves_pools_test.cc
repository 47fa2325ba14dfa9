// Moves in a cluster of several pools.
#include "tests/metaserver/placement/moving_world.h"

namespace cairn {
namespace {

TEST(PlanMovesOfPools, ANewServerGetsItsShareOfEveryPool) {
  MovingWorld world(4, 3);
  world.AddPool(2, 1);
  world.AddPool(3, 2);
  world.Settle();
  world.AddServer(5);
  world.Settle();
  for (const uint32_t copies : {3u, 1u, 2u}) {
    const uint32_t pool = copies == 3 ? 1 : copies + 1;
    world.ExpectWhole(copies, pool);
    for (uint32_t server = 1; server <= 5; ++server) {
      EXPECT_NEAR(world.ActiveIn(pool, server), 4 * 64 / 5, 3) << "pool " << pool << " " << server;
    }
  }
}

TEST(PlanMovesOfPools, EveryPoolGetsItsOwnNumberOfCopiesBack) {
  MovingWorld world(5, 3);
  world.AddPool(2, 1);
  world.AddPool(3, 2);
  world.Settle();
  world.server(1).draining = true;
  world.Settle();
  EXPECT_EQ(world.Memberships(1), 0);
  const int alone = world.ActiveIn(2, 2);
  world.Lose(2);
  world.Settle();
  world.ExpectWhole(3, 1);
  world.ExpectWhole(2, 3);
  EXPECT_GT(alone, 0);
  EXPECT_EQ(world.ActiveIn(2, 2), alone);  // what was alone there waits for it
}

// Nobody could copy from it while it is away, and it would be away in vain.
TEST(PlanMovesOfPools, OneCopyByChoiceIsNotCopiedBecauseItsServerIsQuiet) {
  MovingWorld world(3, 1);
  world.Settle();
  world.server(2).view.presence = ServerView::Presence::kQuiet;
  world.server(2).silence = 2s;
  EXPECT_TRUE(world.Plan().empty());
}

}  // namespace
}  // namespace cairn

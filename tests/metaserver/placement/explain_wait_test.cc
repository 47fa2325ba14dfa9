#include "metaserver/placement/explain_wait.h"

#include <gtest/gtest.h>

#include "tests/metaserver/cluster/hand_made_shape.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

class ExplainWaitTest : public ::testing::Test {
 protected:
  std::string Explain(HandMadeShape& shape) {
    return ExplainWait(shape.Shape(), shape.group(1), MovePolicy());
  }
};

TEST_F(ExplainWaitTest, NothingIsToBeSaidOfACopyThatIsOnItsWay) {
  HandMadeShape shape(4);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(3);
  shape.AddSyncing(1, 4);
  EXPECT_EQ(Explain(shape), "");
  shape.Lose(4, 5s);
  EXPECT_EQ(Explain(shape), "chunkserver 4 may be back within 26 s of grace");
}

TEST_F(ExplainWaitTest, AServerThatIsAwayIsWaitedForUntilItsGraceEnds) {
  HandMadeShape shape(4);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(3, 29500ms);
  EXPECT_EQ(Explain(shape), "chunkserver 3 may be back within 1 s of grace");
  shape.server(3).silence = 30s;
  EXPECT_EQ(Explain(shape), "it waits for its turn");
}

TEST_F(ExplainWaitTest, AMaintenanceIsWaitedForHoweverLongItTakes) {
  HandMadeShape shape(4);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(3, 1h);
  shape.server(3).in_maintenance = true;
  EXPECT_EQ(Explain(shape), "chunkserver 3 is in maintenance");
}

TEST_F(ExplainWaitTest, ALastCopyHasNoGrace) {
  HandMadeShape shape(5);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(2, 5s);
  shape.Lose(3, 5s);
  EXPECT_EQ(Explain(shape), "it waits for its turn");
}

TEST_F(ExplainWaitTest, OneCopyByChoiceIsNoLastCopy) {
  HandMadeShape shape(3, 1);
  shape.AddGroup(1, {1});
  shape.server(1).view.presence = ServerView::Presence::kQuiet;
  shape.server(1).silence = 2s;
  EXPECT_EQ(Explain(shape), "chunkserver 1 may be back within 29 s of grace");
}

TEST_F(ExplainWaitTest, WithoutAnyCopyThereIsNothingToCopyFrom) {
  HandMadeShape shape(4);
  shape.AddGroup(1, {1, 2, 3});
  for (const uint32_t server : {1, 2, 3}) shape.Lose(server);
  EXPECT_EQ(Explain(shape), "no copy is up");
}

TEST_F(ExplainWaitTest, TooFewServersAreCounted) {
  HandMadeShape shape(4);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(3);
  shape.server(4).draining = true;
  EXPECT_EQ(Explain(shape), "3 copies need 3 chunkservers, 2 of 4 are in service");
}

TEST_F(ExplainWaitTest, FullServersAreCounted) {
  HandMadeShape shape(5);
  shape.AddGroup(1, {1, 2, 3});
  shape.Lose(3);
  shape.server(4).available_bytes = 10;
  shape.server(5).available_bytes = 10;
  EXPECT_EQ(Explain(shape), "the 2 chunkservers without a copy are too full");
  shape.server(5).available_bytes = 900;
  EXPECT_EQ(Explain(shape), "it waits for its turn");
}

TEST_F(ExplainWaitTest, CopiesAreCountedAsTheyMayServeAndAsTheyStay) {
  HandMadeShape shape(5);
  shape.AddGroup(1, {1, 2, 3}, 100);
  GroupCopies copies = CountCopies(shape.Shape(), shape.group(1));
  EXPECT_EQ(copies.wanted, 3u);
  EXPECT_EQ(copies.serving, 3u);
  EXPECT_EQ(copies.staying, 3u);
  EXPECT_EQ(copies.bytes, 100u);
  shape.server(1).draining = true;
  shape.server(2).view.incarnation = Incarnation(11);
  copies = CountCopies(shape.Shape(), shape.group(1));
  EXPECT_EQ(copies.serving, 2u);
  EXPECT_EQ(copies.staying, 1u);
}

}  // namespace
}  // namespace cairn

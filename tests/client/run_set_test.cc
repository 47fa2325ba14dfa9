#include "client/run_set.h"

#include <gtest/gtest.h>

namespace cairn::client {
namespace {

TEST(RunSet, MergesNeighboursAndOverlaps) {
  RunSet set;
  set.Add(1);
  set.Add(3);
  EXPECT_EQ(set.runs().size(), 2u);
  set.Add(2);
  EXPECT_EQ(set.runs().size(), 1u);
  set.AddRange(0, 10);
  EXPECT_EQ(set.runs().size(), 1u);
  EXPECT_TRUE(set.Contains(9));
  EXPECT_FALSE(set.Contains(10));
}

TEST(RunSet, CutsInsideARun) {
  RunSet set;
  set.AddRange(0, 10);
  set.AddRange(20, 30);
  set.CutAt(5);
  EXPECT_TRUE(set.Contains(4));
  EXPECT_FALSE(set.Contains(5));
  EXPECT_FALSE(set.Contains(20));
}

TEST(RunSet, KnowsWhatItHoldsWhole) {
  RunSet set, part, other;
  set.AddRange(0, 10);
  part.AddRange(2, 5);
  other.AddRange(8, 11);
  EXPECT_TRUE(set.ContainsAll(part));
  EXPECT_FALSE(set.ContainsAll(other));
}

TEST(RunSet, SurvivesTheWire) {
  RunSet set;
  set.AddRange(4, 7);
  set.Add(4'294'967'295u);
  v1::FileMap map;
  set.CopyTo(map.mutable_runs());
  EXPECT_EQ(RunSet(map.runs()).runs(), set.runs());
}

}  // namespace
}  // namespace cairn::client

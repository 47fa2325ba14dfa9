#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class JoinServerTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(JoinServerTest);

TEST_P(JoinServerTest, ADiskKeepsItsServerId) {
  EXPECT_EQ(Join("a", 1).server(), 1u);
  EXPECT_EQ(Join("b", 1).server(), 2u);
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Join("a", 1).server(), 1u);
  EXPECT_EQ(fs_.State().map_version(), version);  // nothing changed
  EXPECT_EQ(Join("a", 2, 99).server(), 1u);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(Namespace::CodeOf(Join("a", 1)), Code::kStaleRequest);
  EXPECT_EQ(Namespace::CodeOf(Join("", 1)), Code::kInvalidArgument);
}

TEST_P(JoinServerTest, TheFirstDiskOfAProcessGivesItItsNumber) {
  EXPECT_EQ(JoinAs("a", 0, 7).server(), 1u);
  EXPECT_EQ(JoinAs("b", 1, 7).server(), 2u);
  EXPECT_EQ(JoinAs("c", 0, 8).server(), 3u);
  EXPECT_EQ(ChunkserverOf(1), 1u);
  EXPECT_EQ(ChunkserverOf(2), 1u);
  EXPECT_EQ(ChunkserverOf(3), 3u);
}

TEST_P(JoinServerTest, ADiskThatMovesToAnotherProcessIsThatOnes) {
  (void)JoinAs("a", 0, 7);
  (void)JoinAs("b", 1, 7);
  (void)JoinAs("c", 0, 8);
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(JoinAs("b", 3, 8, 2).server(), 2u);
  EXPECT_EQ(ChunkserverOf(2), 3u);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  (void)JoinAs("b", 0, 9, 3);
  EXPECT_EQ(ChunkserverOf(2), 2u);  // a process of its own
}

TEST_P(JoinServerTest, AProcessKeepsItsNumberWhileItsFirstDiskIsAway) {
  (void)JoinAs("a", 0, 7);
  (void)JoinAs("b", 1, 7);
  (void)JoinAs("c", 1, 7);
  // Started again without a: b is the first now, and the others name it.
  (void)JoinAs("b", 0, 7, 2);
  (void)JoinAs("c", 2, 7, 2);
  EXPECT_EQ(JoinAs("d", 2, 7).server(), 4u);
  for (const uint32_t disk : {1u, 2u, 3u, 4u}) EXPECT_EQ(ChunkserverOf(disk), 1u) << disk;
}

TEST_P(JoinServerTest, OnceItsFirstDiskIsRemovedTheNextGivesTheNumber) {
  (void)JoinAs("a", 0, 7);
  (void)JoinAs("b", 1, 7);
  v1::Command command;
  command.mutable_remove_server()->set_server(1);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(ChunkserverOf(2), 1u);
  (void)JoinAs("b", 0, 7, 2);
  EXPECT_EQ(ChunkserverOf(2), 2u);
}

}  // namespace

}  // namespace cairn::testing

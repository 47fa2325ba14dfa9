#include "chunkserver/replication/write_admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class WriteAdmissionTest : public testing::Test {
 protected:
  void ServeByAll() {
    cluster_.SetGroup({{kA}, {kB}, {kC}}, 2);
    cluster_.WaitReady(kA);
  }
  ReplicationCluster cluster_;
};

TEST_F(WriteAdmissionTest, IsRefusedByOneThatIsNotThePrimary) {
  ServeByAll();
  EXPECT_EQ(cluster_.Write(kB, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kNotPrimary);
}

TEST_F(WriteAdmissionTest, IsRefusedBelowMinActive) {
  cluster_.Kill(kB);
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB, false}, {kC, false}}, 2);
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kBelowMinActive);
}

TEST(RuleC7Admission, AFullMemberRefusesBeforeTheWriteIsOrderedAnywhere) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.store(kB).SetAvailable(1000);
  // The first write tells the primary how things are there.
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('y'), 2)->code(), ErrorCode::kNoSpace);
  EXPECT_EQ(cluster.store(kA).Bytes(kChunk), Block('x'));
  EXPECT_TRUE(cluster.reports().empty());
  cluster.store(kB).SetAvailable(uint64_t{1} << 40);
  uint64_t sequence = 3;
  EXPECT_TRUE(Eventually([&] {
    return cluster.Write(kA, kChunk, 0, Block('z'), sequence++)->code() == ErrorCode::kOk;
  }));
}

TEST(RuleC7Admission, WritesStopWhileAMemberHasMoreRoomThanItsStoreKeepsForOrderedOnes) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  const uint64_t kept = AdmissionReserve(*cluster.store(kB).Space());
  cluster.store(kB).SetAvailable(kept + OwnSpace::kAdmittedUnseen);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('y'), 2)->code(), ErrorCode::kNoSpace);
}

}  // namespace
}  // namespace cairn

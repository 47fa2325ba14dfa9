#include "chunkserver/replication/member_faults.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class RecordedReports final : public ClusterReports {
 public:
  Status ActivateGroup(PgId, Epoch, const std::vector<ServerId>&) override { return OkStatus(); }
  void ReportMember(PgId, Epoch, ServerId, v1::MemberFault fault, const std::string&) override {
    absl::MutexLock lock(&mu_);
    faults_.push_back(fault);
  }
  Status MemberSynced(PgId, Epoch, ServerId, Incarnation) override { return OkStatus(); }
  std::vector<v1::MemberFault> faults() {
    absl::MutexLock lock(&mu_);
    return faults_;
  }

 private:
  absl::Mutex mu_;
  std::vector<v1::MemberFault> faults_ ABSL_GUARDED_BY(mu_);
};

class MemberFaultsTest : public testing::Test {
 protected:
  void Fail(ErrorCode code) { faults_.Failed(kGroup, Epoch(1), kB, Status(code, "")); }
  RecordedReports reports_;
  Workers workers_{"test", 1};
  MemberFaults faults_{reports_, workers_};
};

TEST_F(MemberFaultsTest, AMemberThatSaysItCannotIsReportedAtOnceAndNotAgainAtOnce) {
  Fail(ErrorCode::kCorruption);
  Fail(ErrorCode::kCorruption);
  ASSERT_TRUE(Eventually([&] { return !reports_.faults().empty(); }));
  EXPECT_EQ(reports_.faults(), std::vector<v1::MemberFault>{v1::FAULT_ANSWERED_ERROR});
  EXPECT_FALSE(faults_.IsUnreachable(kB));
}

TEST_F(MemberFaultsTest, AMemberOutOfReachIsAvoidedAtOnceButReportedOnlyAfterAWhile) {
  Fail(ErrorCode::kUnavailable);
  EXPECT_TRUE(faults_.IsUnreachable(kB));
  faults_.Answered(kGroup, kB);
  EXPECT_FALSE(faults_.IsUnreachable(kB));
  Fail(ErrorCode::kUnavailable);
  EXPECT_TRUE(reports_.faults().empty());
  ASSERT_TRUE(Eventually([&] {
    Fail(ErrorCode::kUnavailable);
    return !reports_.faults().empty();
  }));
  EXPECT_EQ(reports_.faults()[0], v1::FAULT_UNREACHABLE);
}

TEST_F(MemberFaultsTest, AMemberWhoseMapIsBehindIsNotTakenForUnreachable) {
  Fail(ErrorCode::kStaleEpoch);
  EXPECT_FALSE(faults_.IsUnreachable(kB));
  EXPECT_TRUE(reports_.faults().empty());
}

TEST_F(MemberFaultsTest, AMemberWithoutRoomIsFullAndHasTimeToMakeRoom) {
  faults_.HeardSpace(kB, uint64_t{1} << 40, false);
  Fail(ErrorCode::kNoSpace);
  EXPECT_TRUE(faults_.IsFull(kB));
  EXPECT_FALSE(faults_.IsUnreachable(kB));
  absl::Notification idle;
  workers_.Submit([&] { idle.Notify(); });
  idle.WaitForNotification();
  EXPECT_TRUE(reports_.faults().empty());
}

TEST_F(MemberFaultsTest, AFullMemberIsAskedForItsRoomOnceASecond) {
  EXPECT_FALSE(faults_.IsFull(kB));
  faults_.HeardSpace(kB, 0, true);
  EXPECT_TRUE(faults_.IsFull(kB));
  EXPECT_FALSE(faults_.ShouldAskSpace(kB));
  ASSERT_TRUE(Eventually([&] { return faults_.ShouldAskSpace(kB); }));
  EXPECT_FALSE(faults_.ShouldAskSpace(kB));
  faults_.HeardSpace(kB, 1, true);
  EXPECT_FALSE(faults_.IsFull(kB));
}

TEST_F(MemberFaultsTest, AMemberIsNearlyFullAsItSaysItself) {
  EXPECT_FALSE(faults_.IsNearFull(kB));
  faults_.HeardSpace(kB, 1000, true);
  EXPECT_TRUE(faults_.IsNearFull(kB));
  faults_.HeardSpace(kB, 1000, false);
  EXPECT_FALSE(faults_.IsNearFull(kB));
  Fail(ErrorCode::kNoSpace);
  EXPECT_TRUE(faults_.IsNearFull(kB));
}

}  // namespace
}  // namespace cairn

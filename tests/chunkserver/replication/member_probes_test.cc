#include "chunkserver/replication/member_probes.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// Answers what it is told; holds calls as long as it is told.
class ScriptedPeers final : public Peers {
 public:
  void CallAsync(ServerId, v1::Method, const google::protobuf::MessageLite&, Payload, Deadline,
                 Channel::Callback done) override {
    done(Fail(ErrorCode::kUnimplemented, ""));
  }
  Result<RawReply> CallRaw(ServerId, v1::Method, const google::protobuf::MessageLite&, Payload,
                           Deadline) override {
    absl::MutexLock lock(&mu_);
    ++calls_;
    const auto released = [this] {
      mu_.AssertReaderHeld();
      return !held_;
    };
    mu_.Await(absl::Condition(&released));
    if (!status_.ok()) return Fail(status_);
    return RawReply();
  }
  void Answer(Status status) {
    absl::MutexLock lock(&mu_);
    status_ = std::move(status);
  }
  void Hold(bool hold) {
    absl::MutexLock lock(&mu_);
    held_ = hold;
  }
  int calls() {
    absl::MutexLock lock(&mu_);
    return calls_;
  }

 private:
  absl::Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  Status status_ ABSL_GUARDED_BY(mu_);
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
};

class NoReports final : public ClusterReports {
 public:
  void ReportMember(PgId, Epoch, ServerId, v1::MemberFault, const std::string&) override {}
  Status MemberSynced(PgId, Epoch, ServerId, Incarnation) override { return OkStatus(); }
  Status ActivateGroup(PgId, Epoch, const std::vector<ServerId>&) override { return OkStatus(); }
};

class MemberProbesTest : public testing::Test {
 protected:
  ErrorCode Begin(ServerId member = kB) {
    MemberComparer comparer(context_, repair_, std::make_shared<const Group>(), member, nullptr);
    const auto begun = probes_.Begin(comparer);
    return begun.has_value() ? ErrorCode::kOk : begun.error().code();
  }
  // Another job asks, and hangs in its call until it is let go.
  std::thread HangIn(ServerId member, ErrorCode* code) {
    const int before = peers_.calls();
    peers_.Hold(true);
    std::thread thread([this, member, code] { *code = Begin(member); });
    EXPECT_TRUE(Eventually([&] { return peers_.calls() == before + 1; }));
    return thread;
  }

  // Two jobs, both in their call before either is answered.
  std::pair<ErrorCode, ErrorCode> AskTwiceAtOnce(ServerId member) {
    std::pair<ErrorCode, ErrorCode> codes(ErrorCode::kInternal, ErrorCode::kInternal);
    std::thread one = HangIn(member, &codes.first);
    std::thread two = HangIn(member, &codes.second);
    peers_.Hold(false);
    one.join();
    two.join();
    return codes;
  }

  FakeChunkStore store_;
  ManualClock clock_;
  GroupTable table_{clock_};
  ScriptedPeers peers_;
  NoReports reports_;
  ReplicaContext context_{store_, table_, peers_, reports_};
  BlockRepair repair_{context_};
  MemberProbes probes_{context_};
};

TEST_F(MemberProbesTest, AMemberThatWasSilentIsAskedByOneJobAtATime) {
  peers_.Answer(Status(ErrorCode::kDeadlineExceeded, ""));
  EXPECT_EQ(Begin(), ErrorCode::kDeadlineExceeded);
  ErrorCode code = ErrorCode::kInternal;
  std::thread other = HangIn(kB, &code);
  EXPECT_EQ(Begin(), ErrorCode::kUnavailable);
  EXPECT_EQ(peers_.calls(), 2);  // this one cost no call
  peers_.Answer(OkStatus());
  peers_.Hold(false);
  other.join();
  EXPECT_EQ(code, ErrorCode::kOk);
}

TEST_F(MemberProbesTest, OneSilentMemberDoesNotMakeTheOthersSilent) {
  peers_.Answer(Status(ErrorCode::kUnavailable, ""));
  EXPECT_EQ(Begin(kB), ErrorCode::kUnavailable);
  ErrorCode code = ErrorCode::kInternal;
  std::thread other = HangIn(kB, &code);
  ErrorCode other_code = ErrorCode::kInternal;
  std::thread third([&] { other_code = Begin(kC); });
  EXPECT_TRUE(Eventually([&] { return peers_.calls() == 3; }));
  peers_.Answer(OkStatus());
  peers_.Hold(false);
  other.join();
  third.join();
  EXPECT_EQ(other_code, ErrorCode::kOk);
}

TEST_F(MemberProbesTest, AMemberThatAnsweredAgainIsAskedByAll) {
  peers_.Answer(Status(ErrorCode::kUnavailable, ""));
  EXPECT_EQ(Begin(), ErrorCode::kUnavailable);
  peers_.Answer(OkStatus());
  EXPECT_EQ(Begin(), ErrorCode::kOk);
  EXPECT_EQ(AskTwiceAtOnce(kB), std::pair(ErrorCode::kOk, ErrorCode::kOk));
}

TEST_F(MemberProbesTest, ARefusalIsNotSilence) {
  peers_.Answer(Status(ErrorCode::kStaleEpoch, ""));
  EXPECT_EQ(Begin(), ErrorCode::kStaleEpoch);
  EXPECT_EQ(AskTwiceAtOnce(kB), std::pair(ErrorCode::kStaleEpoch, ErrorCode::kStaleEpoch));
}

TEST(OutcomeIsUnknown, WhereTheCallMayHaveBeenCarriedOut) {
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDeadlineExceeded,
                               ErrorCode::kCancelled, ErrorCode::kNotLeader}) {
    EXPECT_TRUE(OutcomeIsUnknown(Status(code, "")));
  }
  for (const ErrorCode code : {ErrorCode::kOk, ErrorCode::kStaleEpoch, ErrorCode::kBusy}) {
    EXPECT_FALSE(OutcomeIsUnknown(Status(code, "")));
  }
}

}  // namespace
}  // namespace cairn

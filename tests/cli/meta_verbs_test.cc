// 'cairn meta ...', and what status and health make of several metaservers, against a group that
// answers what the test says.
#include <gmock/gmock.h>

#include <sstream>

#include "cli/app.h"
#include "tests/cli/fake_group.h"
#include "tests/cli/surveys.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class MetaVerbsTest : public testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return static_cast<int>(RunCairn(std::move(arguments), Console{out_, err_, false}));
  }
  int Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--cluster", group_.Addresses(), "--tls-dir", tls_});
    return Run(std::move(arguments));
  }
  // Of one that answers by gRPC.
  int Add(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"meta", "add"});
    arguments.insert(arguments.end(), {"--grpc", newcomer_.AddressOf(1).ToString()});
    return Ask(std::move(arguments));
  }
  void SetHashes(std::vector<uint64_t> hashes) {
    for (size_t i = 0; i < hashes.size(); ++i) {
      group_.Change(static_cast<int>(i + 1),
                    [&](FakeMember& member) { member.hashes[group_.marked_index] = hashes[i]; });
    }
  }

  ScratchDirectory scratch_;
  const std::string tls_ = scratch_.path() + "/tls";
  FakeGroup group_{tls_, 3};
  FakeGroup newcomer_{tls_, 1};
  std::ostringstream out_, err_;
};

TEST_F(MetaVerbsTest, LsHasOneRowForEachMemberEvenIfItIsSilent) {
  group_.BeFounded("c", 2);
  group_.Stop(3);
  EXPECT_EQ(Ask({"meta", "ls"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("1           127.0.0.1:2001  follower"));
  EXPECT_THAT(out_.str(), HasSubstr("2           127.0.0.1:2002  leader"));
  EXPECT_THAT(out_.str(), HasSubstr("3           127.0.0.1:2003  silent"));
  EXPECT_EQ(Ask({"meta", "ls", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"cluster_id\":\"c\",\"leader\":2,\"changing\":false,"));
}

TEST_F(MetaVerbsTest, LsOfNobodyExitsWithFive) {
  for (int number = 1; number <= 3; ++number) group_.Stop(number);
  EXPECT_EQ(Ask({"meta", "ls"}), 5);
  EXPECT_THAT(err_.str(), StartsWith("cairn: no metaserver answers"));
}

TEST_F(MetaVerbsTest, AddGoesOnUntilTheNewOneVotes) {
  group_.BeFounded("c", 2);
  v1::AddMetaserverRequest asked;
  group_.on_add = [&, calls = 0](const v1::AddMetaserverRequest& request) mutable {
    asked = request;
    v1::AddMetaserverResponse step;
    step.set_server(4);
    step.set_part(++calls < 3 ? "learner" : "voter");
    step.set_entries_behind(calls < 3 ? 100 : 0);
    return step;
  };
  EXPECT_EQ(Add({"new-host:9000"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "metaserver 4 is a voter\n");
  EXPECT_EQ(asked.address().frames().host(), "new-host");
  EXPECT_EQ(asked.address().frames().port(), 9000u);
  EXPECT_EQ(asked.address().grpc().port(), newcomer_.AddressOf(1).port);
  EXPECT_EQ(Add({"new-host"}), 0);
  EXPECT_EQ(asked.address().frames().port(), 7400u);
}

// It would be in every membership from then on.
TEST_F(MetaVerbsTest, AddOfWhatDoesNotAnswerByGrpcIsRefusedBeforeTheGroupIsAsked) {
  group_.BeFounded("c", 2);
  bool asked = false;
  group_.on_add = [&](const auto&) {
    asked = true;
    return v1::AddMetaserverResponse();
  };
  newcomer_.Stop(1);
  EXPECT_EQ(Add({"127.0.0.1:9000"}), 3);
  EXPECT_THAT(err_.str(),
              HasSubstr("no metaserver answers by gRPC at " + newcomer_.AddressOf(1).ToString()));
  EXPECT_EQ(Ask({"meta", "add", "no-such-host.invalid:9000"}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("no-such-host.invalid:7401"));
  EXPECT_FALSE(asked);
}

TEST_F(MetaVerbsTest, AddThatTakesTooLongSaysHowFarItIs) {
  group_.BeFounded("c", 2);
  group_.on_add = [](const v1::AddMetaserverRequest&) {
    v1::AddMetaserverResponse step;
    step.set_server(4);
    step.set_part("learner");
    step.set_entries_behind(100);
    return step;
  };
  EXPECT_EQ(Add({"new-host", "--timeout", "1"}), 5);
  EXPECT_THAT(err_.str(),
              HasSubstr("metaserver 4 does not vote yet (learner, 100 entries behind)"));
}

TEST_F(MetaVerbsTest, AddOfOneThatBelongsToAnotherClusterIsRefused) {
  group_.BeFounded("c", 2);
  group_.on_add = [](const v1::AddMetaserverRequest&) -> Result<v1::AddMetaserverResponse> {
    return Fail(ErrorCode::kWrongCluster, "it belongs to cluster d");
  };
  EXPECT_EQ(Add({"new-host"}), 6);
  EXPECT_EQ(err_.str(), "cairn: it belongs to cluster d\n");
  EXPECT_EQ(Ask({"meta", "add", "unix:/tmp/x"}), 2);
}

TEST_F(MetaVerbsTest, RemoveGoesOnUntilItIsGone) {
  group_.BeFounded("c", 2);
  group_.on_remove = [calls = 0](const auto&) mutable {
    v1::RemoveMetaserverResponse step;
    step.set_gone(++calls == 2);
    return step;
  };
  EXPECT_EQ(Ask({"meta", "remove", "3"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("metaserver 3 is out of the group"));
}

TEST_F(MetaVerbsTest, RemoveOfWhatIsNoMemberExitsWithThreeUnlessWeRemovedIt) {
  group_.BeFounded("c", 2);
  const auto absent = Status(ErrorCode::kNotFound, "no metaserver 9");
  group_.on_remove = [&](const auto&) -> Result<v1::RemoveMetaserverResponse> {
    return Fail(absent);
  };
  EXPECT_EQ(Ask({"meta", "remove", "9"}), 3);
  // The answer of the one that did it is lost: it was the leader that was removed.
  group_.on_remove = [&, calls = 0](const auto&) mutable -> Result<v1::RemoveMetaserverResponse> {
    if (++calls == 1) return Fail(ErrorCode::kUnavailable, "lost its office");
    return Fail(absent);
  };
  EXPECT_EQ(Ask({"meta", "remove", "2"}), 0) << err_.str();
}

// A leader that was elected a moment ago has not heard them all yet.
TEST_F(MetaVerbsTest, RemoveIsAskedAgainForASecond) {
  group_.BeFounded("c", 2);
  group_.on_remove = [calls = 0](const auto&) mutable -> Result<v1::RemoveMetaserverResponse> {
    if (++calls == 1) return Fail(ErrorCode::kBelowMinActive, "not heard yet");
    v1::RemoveMetaserverResponse response;
    response.set_gone(true);
    return response;
  };
  EXPECT_EQ(Ask({"meta", "remove", "1"}), 0) << err_.str();
}

TEST_F(MetaVerbsTest, RemoveThatWouldLeaveNoMajorityIsRefused) {
  group_.BeFounded("c", 2);
  group_.on_remove = [](const auto&) -> Result<v1::RemoveMetaserverResponse> {
    return Fail(ErrorCode::kBelowMinActive, "1 of the 2 left is heard");
  };
  EXPECT_EQ(Ask({"meta", "remove", "1"}), 6);
  EXPECT_EQ(err_.str(), "cairn: 1 of the 2 left is heard\n");
}

TEST_F(MetaVerbsTest, AnotherChangeUnderWayIsWaitedFor) {
  group_.BeFounded("c", 2);
  group_.on_remove = [calls = 0](const auto&) mutable -> Result<v1::RemoveMetaserverResponse> {
    if (++calls < 3) return Fail(ErrorCode::kBusy, "a change is under way");
    v1::RemoveMetaserverResponse step;
    step.set_gone(true);
    return step;
  };
  EXPECT_EQ(Ask({"meta", "remove", "1"}), 0) << err_.str();
}

TEST_F(MetaVerbsTest, TransferWaitsForTheOneThatWasMeant) {
  group_.BeFounded("c", 1);
  uint32_t wanted = 0;
  std::thread election;
  group_.on_transfer = [&](const v1::TransferLeaderRequest& request) {
    wanted = request.server();
    election = std::thread([this] { group_.Lead(3); });
    return OkStatus();
  };
  EXPECT_EQ(Ask({"meta", "transfer-leader", "3", "--wait", "--json"}), 0) << err_.str();
  election.join();
  EXPECT_EQ(wanted, 3u);
  EXPECT_EQ(out_.str(), "{\"leader\":3}\n");
}

TEST_F(MetaVerbsTest, TransferToWhoeverIsFurthestWaitsForAnotherLeader) {
  group_.BeFounded("c", 1);
  std::thread election;
  group_.on_transfer = [&](const auto&) {
    election = std::thread([this] { group_.Lead(2); });
    return OkStatus();
  };
  EXPECT_EQ(Ask({"meta", "transfer-leader", "--wait"}), 0) << err_.str();
  election.join();
  EXPECT_EQ(out_.str(), "metaserver 2 leads\n");
}

TEST_F(MetaVerbsTest, TransferToTheOneThatLeadsIsDoneAlready) {
  group_.BeFounded("c", 2);
  group_.on_transfer = [](const auto&) { return Status(ErrorCode::kNotFound, "no other voter"); };
  EXPECT_EQ(Ask({"meta", "transfer-leader", "2"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "metaserver 2 leads\n");
  EXPECT_EQ(Ask({"meta", "transfer-leader", "9"}), 3);
}

TEST_F(MetaVerbsTest, TransferWhoseAnswerWasLostIsDoneIfTheTargetLeads) {
  group_.BeFounded("c", 1);
  std::thread election;
  group_.on_transfer = [&](const auto&) {
    if (!election.joinable()) election = std::thread([this] { group_.Lead(3); });
    const bool done = group_.Peek(3).says.role() == "leader";
    return done ? Status(ErrorCode::kNotFound, "no other voter 3")
                : Status(ErrorCode::kUnavailable, "lost its office");
  };
  EXPECT_EQ(Ask({"meta", "transfer-leader", "3", "--wait"}), 0) << err_.str();
  election.join();
  EXPECT_EQ(out_.str(), "metaserver 3 leads\n");
}

TEST_F(MetaVerbsTest, TransferDuringAnElectionIsFromTheOneThatWinsIt) {
  group_.BeFounded("c", 0);
  std::thread first([this] { group_.Lead(2); }), second;
  group_.on_transfer = [&](const auto&) {
    second = std::thread([this] { group_.Lead(3); });
    return OkStatus();
  };
  EXPECT_EQ(Ask({"meta", "transfer-leader", "--wait"}), 0) << err_.str();
  first.join();
  second.join();
  EXPECT_EQ(out_.str(), "metaserver 3 leads\n");
}

TEST_F(MetaVerbsTest, EqualHashesExitWithZero) {
  group_.BeFounded("c", 2);
  SetHashes({0xabc, 0xabc, 0xabc});
  EXPECT_EQ(Ask({"meta", "hash"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("7      0000000000000abc"));
  EXPECT_EQ(Ask({"meta", "hash", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"index\":7,\"equal\":true,\"members\":[{\"server\":1,"
                                     "\"hash\":\"0000000000000abc\"}"));
}

TEST_F(MetaVerbsTest, HashesThatDifferExitWithOne) {
  group_.BeFounded("c", 2);
  SetHashes({0xabc, 0xabc, 0xabd});
  EXPECT_EQ(Ask({"meta", "hash"}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("differ"));
  EXPECT_EQ(Ask({"meta", "hash", "--json"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("\"equal\":false"));
}

TEST_F(MetaVerbsTest, AMemberThatHasNotComeSoFarIsWaitedForThenExitsWithSeven) {
  group_.BeFounded("c", 2);
  SetHashes({0xabc, 0xabc});
  EXPECT_EQ(Ask({"meta", "hash", "--timeout", "1"}), 7);
  EXPECT_THAT(err_.str(), HasSubstr("metaserver 3 did not say"));
  std::thread late([this] { SetHashes({0xabc, 0xabc, 0xabc}); });
  EXPECT_EQ(Ask({"meta", "hash"}), 0) << err_.str();
  late.join();
}

TEST_F(MetaVerbsTest, StatusHasTheMetaserversAndStaysBelowTwoSeconds) {
  group_.BeFounded("c", 2);
  for (int number = 1; number <= 3; ++number) {
    group_.Change(number, [](FakeMember& member) { member.status.add_chunkservers(); });
  }
  EXPECT_EQ(Ask({"status"}), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("as seen by")));
  EXPECT_THAT(out_.str(), HasSubstr("groups: 0 full"));
  EXPECT_THAT(out_.str(), HasSubstr("silent 0.0 s"));
  EXPECT_THAT(out_.str(), HasSubstr("METASERVER"));
  group_.Change(3, [](FakeMember& member) {
    member.status.mutable_metaserver()->set_leader_silent_ms(1500);
  });
  group_.Pause(2);
  group_.Stop(1);
  const Deadline limit = Deadline::After(2900ms);  // 1.3 s if the machine has nothing else to do
  EXPECT_EQ(Ask({"status"}), 0) << err_.str();
  EXPECT_FALSE(limit.Passed());
  EXPECT_THAT(out_.str(),
              HasSubstr("as seen by metaserver 3 (follower), which last heard a leader 1.5 s ago"));
  EXPECT_THAT(out_.str(), HasSubstr("groups: not known without a leader"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("silent 0.0 s")));
  EXPECT_EQ(Ask({"status", "--json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"metaservers\":[{\"server\":1,"));
}

TEST_F(MetaVerbsTest, HealthJudgesTheGroupByAllAndChunkserversByTheLeaderAlone) {
  group_.BeFounded("c", 1);
  group_.Change(2, [](FakeMember& member) {
    member.health.add_items()->set_code("LAST_COPY");
    member.says.set_applied_index(101);
  });
  EXPECT_EQ(Ask({"health", "--check"}), 0);
  group_.Stop(1);
  EXPECT_EQ(Ask({"health", "--check"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr("META_DOWN"));
  EXPECT_THAT(out_.str(), HasSubstr("META_NOT_ASKED"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("LAST_COPY")));
  group_.Stop(3);
  group_.Lead(0);
  EXPECT_EQ(Ask({"health", "--check"}), 2);
  EXPECT_THAT(out_.str(), HasSubstr("META_NO_QUORUM"));
  EXPECT_THAT(out_.str(), HasSubstr("META_NO_LEADER"));
}

}  // namespace
}  // namespace cairn

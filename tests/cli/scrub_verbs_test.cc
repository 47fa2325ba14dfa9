// 'cairn scrub ...'.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;

class ScrubVerbsTest : public FleetTest {
 protected:
  ScrubVerbsTest() {
    AddServer(1);
    AddServer(4);
  }
  static v1::StartScrubResponse Orders(std::map<uint32_t, uint64_t> orders) {
    v1::StartScrubResponse response;
    response.mutable_orders()->insert(orders.begin(), orders.end());
    return response;
  }
  static void SetScrub(FakeMember& member, uint32_t server, uint64_t order, bool running,
                       uint64_t found, uint64_t mended) {
    v1::ScrubProgress& scrub = *ServerOf(member, server).mutable_scrub();
    scrub.set_order(order);
    scrub.set_running(running);
    scrub.set_total_bytes(1000);
    scrub.set_done_bytes(running ? 420 : 1000);
    scrub.set_found_blocks(found);
    scrub.set_mended_blocks(mended);
    scrub.set_seconds_since_whole(3 * 86400);
  }
};

TEST_F(ScrubVerbsTest, StatusTellsPaceAndAgeOfEachServer) {
  group_.Change(kLeader, [](FakeMember& member) {
    SetScrub(member, 4, 2, true, 5, 3);
    ServerOf(member, 4).set_damaged_chunks(1);
  });
  EXPECT_EQ(Ask({"scrub", "status"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("never"));
  EXPECT_EQ(Word(out_.str(), 2, 0), "4");
  EXPECT_EQ(Word(out_.str(), 2, 1), "ordered");
  EXPECT_EQ(Word(out_.str(), 2, 2), "42");
  EXPECT_EQ(Word(out_.str(), 2, 4), "5");
  EXPECT_EQ(Word(out_.str(), 2, 5), "3");
  EXPECT_EQ(Word(out_.str(), 2, 6), "1");
  EXPECT_THAT(out_.str(), HasSubstr("3 d"));
  EXPECT_EQ(Ask({"scrub", "status", "--json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"from_leader\":true"));
}

TEST_F(ScrubVerbsTest, StartOrdersAndWaitsUntilAllAreDone) {
  group_.on_start_scrub = [&](const v1::StartScrubRequest& request) {
    EXPECT_EQ(request.server(), 0u);
    SetScrub(group_.Peek(kLeader), 1, 8, false, 0, 0);
    SetScrub(group_.Peek(kLeader), 4, 2, false, 0, 0);  // as before: it has not heard yet
    return Orders({{1, 8}, {4, 3}});
  };
  int looks = 0;
  group_.on_status = [&](FakeMember& member) {
    if (member.id != kLeader) return;
    ++looks;
    if (looks == 2) SetScrub(member, 4, 3, true, 0, 0);
    if (looks == 3) SetScrub(member, 4, 3, false, 3, 3);
  };
  EXPECT_EQ(Ask({"scrub", "start", "--wait"}), 0) << err_.str();
  EXPECT_EQ(looks, 3);
  EXPECT_THAT(out_.str(), HasSubstr("server 4: waits"));
  EXPECT_THAT(out_.str(), HasSubstr("server 1: 100 %; server 4: 100 %, 3 found, 3 mended\n"));
}

TEST_F(ScrubVerbsTest, StartSaysByItsExitCodeThatSomethingIsLost) {
  group_.on_start_scrub = [&](const v1::StartScrubRequest&) {
    SetScrub(group_.Peek(kLeader), 4, 1, false, 3, 2);
    ServerOf(group_.Peek(kLeader), 4).set_damaged_chunks(1);
    return Orders({{4, 1}});
  };
  EXPECT_EQ(Ask({"scrub", "start", "--server", "4", "--wait"}), 7);
}

TEST_F(ScrubVerbsTest, StartDoesNotTakeAServerThatIsNotUpForDone) {
  ChangeServerOf(4, [](v1::ChunkserverStatus& server) { server.set_up(false); });
  group_.on_start_scrub = [&](const v1::StartScrubRequest&) {
    SetScrub(group_.Peek(kLeader), 1, 1, false, 0, 0);
    return Orders({{1, 1}, {4, 1}});
  };
  EXPECT_EQ(Ask({"scrub", "start", "--wait"}), 7);
  EXPECT_THAT(out_.str(), HasSubstr("server 4: not up, it reads all when it is back"));
  EXPECT_EQ(Ask({"scrub", "start", "--wait", "--json"}), 7);
  EXPECT_EQ(out_.str(), "{\"done\":false,\"damaged_chunks\":0}\n");
}

TEST_F(ScrubVerbsTest, StartGivesUpWaitingAtItsTimeout) {
  group_.on_start_scrub = [&](const v1::StartScrubRequest&) { return Orders({{4, 1}}); };
  EXPECT_EQ(Ask({"scrub", "start", "--wait", "--timeout", "1"}), 5);
  EXPECT_THAT(err_.str(), HasSubstr("server 4: waits; the scrub goes on"));
}

TEST_F(ScrubVerbsTest, SetKeepsWhatElseIsSet) {
  group_.Change(kLeader, [](FakeMember& member) {
    member.repair.mutable_settings()->set_copy_bytes_per_second(77);
  });
  v1::Settings set;
  group_.on_set_settings = [&](const v1::SetSettingsRequest& request) {
    set = request.settings();
    return OkStatus();
  };
  EXPECT_EQ(Ask({"scrub", "set", "--every", "2h"}), 0) << err_.str();
  EXPECT_EQ(set.scrub_seconds(), 7200u);
  EXPECT_EQ(set.copy_bytes_per_second(), 77u);
  EXPECT_EQ(Ask({"scrub", "set", "--every", "5s"}), 2);
  EXPECT_EQ(Ask({"scrub", "set", "--every", "default"}), 0);
  EXPECT_EQ(set.scrub_seconds(), 0u);
}

}  // namespace
}  // namespace cairn

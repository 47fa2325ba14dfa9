// 'cairn server drain K --wait' against a server that empties, or does not.
#include "tests/cli/fleet_test.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ServerDrainTest : public FleetTest {
 protected:
  ServerDrainTest() {
    AddServer(3, 4);
    group_.on_set_server = [this](const v1::SetServerRequest& request) {
      ServerOf(group_.Peek(kLeader), request.server()).set_state(request.state());
      return OkStatus();
    };
  }
  // Of `server`, one at each look once it drains.
  void LoseGroups(uint32_t server) {
    group_.on_status = [server](FakeMember& member) {
      if (member.id != kLeader) return;
      v1::ChunkserverStatus& status = ServerOf(member, server);
      if (status.state() != v1::SERVER_DRAINING) return;
      status.set_active_groups(std::max(status.active_groups(), 1u) - 1);
    };
  }
  void Wait(const std::string& why) {
    group_.Change(kLeader, [&](FakeMember& member) { member.repair.add_groups()->set_waits(why); });
  }
};

TEST_F(ServerDrainTest, WaitEndsWhenNoGroupNamesIt) {
  LoseGroups(3);
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3: 3 groups left on it\nserver 3 is empty\n");
  EXPECT_EQ(ServerOf(group_.Peek(kLeader), 3).state(), v1::SERVER_DRAINING);
}

TEST_F(ServerDrainTest, AMemberThatSyncsIsStillOnIt) {
  ChangeServerOf(3, [](auto& server) {
    server.set_active_groups(0);
    server.set_syncing_groups(1);
  });
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait", "--timeout", "1"}), 5);
  EXPECT_THAT(out_.str(), HasSubstr("1 groups left"));
}

TEST_F(ServerDrainTest, TheLineTellsBytesAndTimeLeft) {
  LoseGroups(3);
  group_.Change(kLeader, [](FakeMember& member) {
    v1::RepairRecord& repair = *member.repair.mutable_repair();
    repair.mutable_started()->set_seconds(1);
    repair.set_total_bytes(3 << 20);
    repair.set_done_bytes(1 << 20);
    repair.set_bytes_per_second(1 << 20);
    repair.set_seconds_left(2);
  });
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("server 3: 3 groups left on it; 2.0 MiB left, 1.0 MiB/s, "
                                     "about 2 s\n"));
}

TEST_F(ServerDrainTest, WhatCannotMoveIsToldWhyUntilTheTimeout) {
  Wait("3 copies need 3 chunkservers, 2 of 3 are in service");
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait", "--timeout", "1"}), 5);
  EXPECT_EQ(err_.str(),
            "cairn: server 3: 4 groups left on it; nothing moves: 3 copies need 3 chunkservers, 2 "
            "of 3 are in service; the drain goes on\n");
  EXPECT_THAT(out_.str(), HasSubstr("nothing moves: 3 copies need"));
}

TEST_F(ServerDrainTest, ATerminalGetsOneLineThatIsRewritten) {
  LoseGroups(3);
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}, true), 0) << err_.str();
  EXPECT_EQ(out_.str(),
            "\r\x1b[Kserver 3: 3 groups left on it\r\x1b[Kserver 3: 2 groups left on it"
            "\r\x1b[Kserver 3: 1 groups left on it\r\x1b[Kserver 3 is empty\n");
}

TEST_F(ServerDrainTest, JsonIsOneObjectPerLineEvenOnATerminal) {
  LoseGroups(3);
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait", "--json"}, true), 0) << err_.str();
  EXPECT_EQ(out_.str(),
            "{\"server\":3,\"groups_left\":3,\"bytes_left\":\"0\",\"seconds_left\":\"0\","
            "\"waits\":\"\"}\n"
            "{\"server\":3,\"groups_left\":0,\"bytes_left\":\"0\",\"seconds_left\":\"0\","
            "\"waits\":\"\"}\n");
}

TEST_F(ServerDrainTest, InterruptedItGoesOnAndSaysSo) {
  group_.on_status = [](FakeMember& member) {
    if (member.id != kLeader) return;
    if (ServerOf(member, 3).state() == v1::SERVER_DRAINING) std::raise(SIGINT);
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 130);
  EXPECT_EQ(err_.str(), "cairn: interrupted; the drain of server 3 goes on\n");
  EXPECT_EQ(ServerOf(group_.Peek(kLeader), 3).state(), v1::SERVER_DRAINING);
}

TEST_F(ServerDrainTest, ALeaderThatListsNobodyIsNotTakenForEmptiness) {
  group_.on_status = [looks = 0](FakeMember& member) mutable {
    if (member.id != kLeader) return;
    const bool knows = ++looks != 2;  // the first is before it drains
    member.status.clear_chunkservers();
    if (knows) {
      ServerOf(member, 3).set_server(3);
      ServerOf(member, 3).set_state(v1::SERVER_DRAINING);
    }
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "server 3: no leader answers\nserver 3 is empty\n");
}

TEST_F(ServerDrainTest, SomebodyElseMayEndIt) {
  group_.on_status = [](FakeMember& member) {
    if (member.id == kLeader) ServerOf(member, 3).set_state(v1::SERVER_IN_SERVICE);
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 1);
  EXPECT_EQ(err_.str(), "cairn: server 3 is not draining any more\n");
  AddServer(4);
  group_.on_status = [](FakeMember& member) {
    if (member.id != kLeader) return;
    if (ServerOf(member, 3).state() == v1::SERVER_DRAINING) ServerOf(member, 3).set_server(5);
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait"}), 3);
}

TEST_F(ServerDrainTest, AnOutageIsWaitedFor) {
  group_.on_status = [this](FakeMember& member) {
    if (member.id != kLeader || member.says.role() != "leader") return;
    if (ServerOf(member, 3).state() == v1::SERVER_DRAINING) {
      std::thread([this] { group_.Lead(0); }).detach();
    }
  };
  EXPECT_EQ(Ask({"server", "drain", "3", "--wait", "--timeout", "2"}), 5);
  EXPECT_EQ(err_.str(), "cairn: server 3: no leader answers; the drain goes on\n");
}

}  // namespace
}  // namespace cairn

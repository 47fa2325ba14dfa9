#include "client/metaserver_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const BootTime kNow{std::chrono::seconds(100)};

Address Unix(const std::string& path) {
  return {"", 0, path};
}
Address Tcp(uint16_t port) {
  return {"host", port, ""};
}

struct Listed {
  uint32_t server;
  uint16_t port;
};
v1::FindLeaderResponse Says(uint32_t server, uint32_t leader, std::vector<Listed> list = {}) {
  v1::FindLeaderResponse answer;
  answer.set_server(server);
  answer.set_leader(leader);
  for (const Listed& listed : list) {
    v1::MetaserverMember& member = *answer.add_members();
    member.set_server(listed.server);
    member.mutable_address()->mutable_frames()->set_host("host");
    member.mutable_address()->mutable_frames()->set_port(listed.port);
  }
  return answer;
}

// The whole round in order, if nobody says anything.
std::vector<std::string> Order(const MetaserverMembers& members, MetaserverMembers::Round round,
                               BootTime now = kNow) {
  std::vector<std::string> order;
  while (auto address = members.Next(round, now)) {
    round.asked.push_back(*address);
    order.push_back(address->ToString());
  }
  return order;
}

MetaserverMembers::Round After(const Address& doubted, bool answers, uint32_t named = 0) {
  return {doubted, answers, {}, {}, ServerId(named)};
}

TEST(MetaserverMembersTest, TheOneThatIsSilentIsAskedLastAndTheOneThatAnswersFirst) {
  const MetaserverMembers members({Tcp(1), Tcp(2), Tcp(3)});
  EXPECT_THAT(Order(members, After(Tcp(1), false)), ElementsAre("host:2", "host:3", "host:1"));
  EXPECT_THAT(Order(members, After(Tcp(2), true)), ElementsAre("host:2", "host:1", "host:3"));
}

TEST(MetaserverMembersTest, TheNamedOneIsAskedNextByTheAddressThatWasTold) {
  MetaserverMembers members({Unix("/a"), Unix("/b")});
  members.Heard(Unix("/a"), Says(1, 2, {{1, 71}, {2, 72}, {3, 73}}));
  members.Heard(Unix("/b"), Says(2, 2));
  EXPECT_EQ(Order(members, After(Unix("/a"), false, 2)).front(), "unix:/b");
  EXPECT_EQ(Order(members, After(Unix("/a"), false, 3)).front(), "host:73");
}

TEST(MetaserverMembersTest, AToldAddressThatNobodyKnowsYetMayBeTheNamedOne) {
  MetaserverMembers members({Unix("/a"), Unix("/b")});
  members.Heard(Unix("/a"), Says(1, 2, {{1, 71}, {2, 72}}));
  EXPECT_EQ(Order(members, After(Unix("/a"), false, 2)).front(), "unix:/b");
}

TEST(MetaserverMembersTest, OneThatHasAnsweredIsNotAskedAgainByAnotherAddress) {
  MetaserverMembers members({Unix("/a")});
  members.Heard(Unix("/a"), Says(1, 0, {{1, 71}}));
  MetaserverMembers::Round round = After(Unix("/a"), true);
  round.asked = {Unix("/a")};
  EXPECT_EQ(members.Next(round, kNow)->ToString(), "host:71");
  round.heard = {ServerId(1)};
  EXPECT_FALSE(members.Next(round, kNow).has_value());
}

TEST(MetaserverMembersTest, OneThatIsDoubtedIsNotTakenForAnotherByItsOtherAddress) {
  MetaserverMembers members({Unix("/a"), Unix("/b")});
  members.Heard(Unix("/a"), Says(1, 1, {{1, 71}, {2, 72}}));
  members.Heard(Unix("/b"), Says(2, 1));
  EXPECT_THAT(Order(members, After(Unix("/a"), false, 1)),
              ElementsAre("unix:/b", "host:72", "unix:/a", "host:71"));
}

TEST(MetaserverMembersTest, OneThatHangsIsLeftOutForASecond) {
  MetaserverMembers members({Tcp(1), Tcp(2)});
  members.Hangs(Tcp(1), kNow);
  EXPECT_THAT(Order(members, {}), ElementsAre("host:2"));
  EXPECT_EQ(Order(members, {}, kNow + MetaserverMembers::kShun).size(), 2u);
  members.Heard(Tcp(1), Says(1, 0));
  EXPECT_EQ(Order(members, {}).size(), 2u);
}

TEST(MetaserverMembersTest, OneThatHangsIsNotTriedByItsOtherAddressEither) {
  MetaserverMembers members({Unix("/a"), Unix("/b")});
  members.Heard(Unix("/a"), Says(1, 0, {{1, 71}}));
  members.Hangs(Unix("/a"), kNow);
  EXPECT_THAT(Order(members, {}), ElementsAre("unix:/b"));
}

TEST(MetaserverMembersTest, ALeadersListTakesOutWhoLeftTheGroupButNotWhatWasTold) {
  MetaserverMembers members({Tcp(1)});
  members.Heard(Tcp(1), Says(1, 1, {{1, 1}, {2, 2}}));
  // A follower's list may be old: nobody is forgotten because of it.
  members.Heard(Tcp(2), Says(2, 1, {{3, 3}}));
  EXPECT_EQ(members.size(), 3u);
  members.Heard(Tcp(3), Says(3, 3, {{3, 3}, {4, 4}}));
  EXPECT_THAT(Order(members, {}), ::testing::UnorderedElementsAre("host:1", "host:3", "host:4"));
}

TEST(MetaserverMembersTest, OneThatMovedIsFoundAtItsNewAddress) {
  MetaserverMembers members({Tcp(1)});
  members.Heard(Tcp(1), Says(1, 1, {{2, 2}}));
  members.Heard(Tcp(1), Says(1, 1, {{2, 22}}));
  EXPECT_THAT(Order(members, {}), ElementsAre("host:1", "host:22"));
}

// Its directory was lost: it came in again as another member.
TEST(MetaserverMembersTest, ANewMemberAtTheAddressOfAnOldOneIsKnownByItsNewId) {
  MetaserverMembers members({Tcp(1)});
  members.Heard(Tcp(1), Says(1, 1, {{1, 1}, {2, 2}}));
  members.Heard(Tcp(1), Says(1, 1, {{1, 1}, {9, 2}}));
  EXPECT_EQ(Order(members, After(Tcp(1), false, 9)).front(), "host:2");
}

TEST(MetaserverMembersTest, OneWithTwoAddressesIsOneServer) {
  MetaserverMembers members({Unix("/a"), Unix("/b")});
  EXPECT_EQ(members.servers(), 2u);
  members.Heard(Unix("/a"), Says(1, 1, {{1, 71}, {2, 72}}));
  members.Heard(Unix("/b"), Says(2, 1));
  EXPECT_EQ(members.size(), 4u);
  EXPECT_EQ(members.servers(), 2u);
}

TEST(MetaserverMembersTest, WhatIsHeardOfIsBounded) {
  MetaserverMembers members({Tcp(1)});
  for (uint32_t server = 2; server < 200; ++server) {
    members.Heard(Tcp(1), Says(1, 0, {{server, static_cast<uint16_t>(server)}}));
  }
  EXPECT_EQ(members.size(), 1 + MetaserverMembers::kMostHeardOf);
}

TEST(MetaserverMembersTest, AListWithoutAddressesTeachesNothing) {
  MetaserverMembers members({Tcp(1)});
  members.Heard(Tcp(1), Says(1, 0, {{0, 7}, {2, 0}}));
  EXPECT_EQ(members.size(), 1u);
}

}  // namespace
}  // namespace cairn::client

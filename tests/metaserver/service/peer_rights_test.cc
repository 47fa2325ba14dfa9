#include "metaserver/service/peer_rights.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

PeerIdentity UserOnTheSocket(uint32_t uid) {
  PeerIdentity peer;
  peer.kind = PeerIdentity::Kind::kUnixSocket;
  peer.uid = uid;
  peer.gid = 100;
  peer.groups = {100, 27};
  return peer;
}

v1::Caller Caller(uint32_t uid, uint32_t gid, std::initializer_list<uint32_t> groups) {
  v1::Caller caller;
  caller.set_uid(uid);
  caller.set_gid(gid);
  caller.mutable_groups()->Add(groups.begin(), groups.end());
  return caller;
}

TEST(PeerRightsTest, RootTheServersUserAndCertificatesSpeakForAll) {
  PeerIdentity certificate;
  certificate.kind = PeerIdentity::Kind::kCertificate;
  for (const PeerIdentity& peer :
       {UserOnTheSocket(0), UserOnTheSocket(geteuid()), certificate}) {
    EXPECT_TRUE(IsTrusted(peer));
    EXPECT_FALSE(ConfinedTo(peer).has_value());
    EXPECT_THAT(CheckVouches(peer, Caller(7, 7, {1, 2, 3})), IsOk());
  }
}

TEST(PeerRightsTest, AnOrdinaryUserIsItselfInItsOwnGroups) {
  const PeerIdentity peer = UserOnTheSocket(54321);
  EXPECT_EQ(ConfinedTo(peer), 54321u);
  EXPECT_THAT(CheckVouches(peer, Caller(54321, 100, {27})), IsOk());
  EXPECT_THAT(CheckVouches(peer, Caller(54321, 27, {})), IsOk());
  EXPECT_THAT(CheckVouches(peer, Caller(0, 100, {})), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(CheckVouches(peer, Caller(54321, 0, {})), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(CheckVouches(peer, Caller(54321, 100, {0})), StatusIs(ErrorCode::kPermission));
}

}  // namespace
}  // namespace cairn

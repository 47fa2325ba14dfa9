#include "chunkserver/service/token_gate.h"

#include <gtest/gtest.h>

#include "rpc/chunk_token.h"

namespace cairn {
namespace {

constexpr int64_t kNow = 1'700'000'000;  // of the metaserver
constexpr uint64_t kMount = 99;
constexpr uint64_t kFile = 5;

std::string SecretOf(uint32_t key) {
  return std::string(kTokenKeyBytes, static_cast<char>('a' + key));
}

class TokenGateTest : public ::testing::Test {
 protected:
  TokenGateTest() {
    table_.OnWantRefresh([this] { ++refreshes_; });
    Hear({1, 2, 3});
  }

  void Hear(const std::vector<uint32_t>& keys) {
    v1::HeartbeatResponse answer;
    answer.mutable_time()->set_seconds(kNow);
    for (const uint32_t id : keys) {
      v1::TokenKey& key = *answer.add_token_keys();
      key.set_id(id);
      key.set_secret(SecretOf(id));
    }
    gate_.Hear(answer);
  }
  static v1::TokenClaims Claims(uint32_t key = 2) {
    v1::TokenClaims claims;
    claims.set_key(key);
    claims.set_session(kMount);
    claims.set_inode(kFile);
    claims.set_rights(kTokenRead | kTokenWrite);
    claims.set_expires(kNow + 3600);
    return claims;
  }
  static std::string Seal(const v1::TokenClaims& claims) {
    return SealToken(claims, SecretOf(claims.key()));
  }
  ErrorCode Ask(const std::string& token, uint32_t rights = kTokenRead) {
    v1::ChunkAddress chunk;
    chunk.set_session(kMount);
    chunk.set_inode(kFile);
    return internal::StatusOf(gate_.Admit(chunk, token, rights)).code();
  }
  void ShutOut(uint64_t session) {
    v1::HeartbeatResponse answer;
    answer.add_fences()->set_sequence(1);
    answer.mutable_fences(0)->set_session(session);
    answer.set_last_fence(1);
    ASSERT_TRUE(fences_.Take(answer));
  }

  ManualClock clock_;
  GroupTable table_{clock_};
  FenceList fences_;
  TokenGate gate_{fences_, table_, clock_};
  int refreshes_ = 0;
};
using RuleL1TokenGate = TokenGateTest;

TEST_F(TokenGateTest, LetsInWhoHasAToken) {
  EXPECT_EQ(Ask(Seal(Claims())), ErrorCode::kOk);
  EXPECT_EQ(Ask(Seal(Claims(1))), ErrorCode::kOk);  // any key there is
  EXPECT_EQ(gate_.key_known(), 3u);
}

TEST_F(TokenGateTest, AWriteNamesNoLaterGenerationThanItsToken) {
  v1::TokenClaims claims = Claims();
  claims.set_generation(5);
  const std::string token = Seal(claims);
  v1::ChunkAddress chunk;
  chunk.set_session(kMount);
  chunk.set_inode(kFile);
  const auto ask = [&](uint64_t generation, uint32_t rights) {
    chunk.set_generation(generation);
    return internal::StatusOf(gate_.Admit(chunk, token, rights)).code();
  };
  EXPECT_EQ(ask(4, kTokenWrite), ErrorCode::kOk);
  EXPECT_EQ(ask(5, kTokenWrite), ErrorCode::kOk);
  EXPECT_EQ(ask(6, kTokenWrite), ErrorCode::kTokenRefused);
  EXPECT_EQ(ask(6, kTokenRead), ErrorCode::kOk);  // a read changes nothing
}

TEST_F(TokenGateTest, MadeUpKeysAskForARefreshNowAndThen) {
  for (uint32_t key = 100; key < 200; ++key) {
    EXPECT_EQ(Ask(Seal(Claims(key))), ErrorCode::kUnavailable);
  }
  EXPECT_EQ(refreshes_, 1);
  clock_.Advance(TokenGate::kAskForKeyEvery);
  EXPECT_EQ(Ask(Seal(Claims(100))), ErrorCode::kUnavailable);
  EXPECT_EQ(refreshes_, 2);
}

TEST_F(TokenGateTest, AThousandFramesCostOneSeal) {
  const std::string token = Seal(Claims());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(Ask(token), ErrorCode::kOk);
  EXPECT_EQ(gate_.seals_checked(), 1u);
}

TEST_F(TokenGateTest, RefusesWhatIsNotForThisUse) {
  v1::TokenClaims other_file = Claims();
  other_file.set_inode(kFile + 1);
  EXPECT_EQ(Ask(Seal(other_file)), ErrorCode::kTokenRefused);
  v1::TokenClaims other_session = Claims();
  other_session.set_session(kMount + 1);
  EXPECT_EQ(Ask(Seal(other_session)), ErrorCode::kTokenRefused);
  v1::TokenClaims reader = Claims();
  reader.set_rights(kTokenRead);
  EXPECT_EQ(Ask(Seal(reader), kTokenWrite), ErrorCode::kTokenRefused);
  EXPECT_EQ(Ask(Seal(reader), kTokenRead), ErrorCode::kOk);
  EXPECT_EQ(Ask(Seal(reader), kTokenRead | kTokenWrite), ErrorCode::kOk);
}

TEST_F(TokenGateTest, RefusesWhatTheClusterDidNotMake) {
  EXPECT_EQ(Ask(""), ErrorCode::kTokenRefused);
  EXPECT_EQ(Ask("nonsense"), ErrorCode::kTokenRefused);
  EXPECT_EQ(Ask(SealToken(Claims(), SecretOf(9))), ErrorCode::kTokenRefused);
}

// Remembered by its seal alone it would pass.
TEST_F(TokenGateTest, AKnownSealUnderOtherClaimsIsRefused) {
  v1::TokenClaims other = Claims();
  other.set_inode(kFile + 1);
  v1::ChunkToken known;
  ASSERT_TRUE(known.ParseFromString(Seal(other)));
  ASSERT_EQ(Ask(Seal(other)), ErrorCode::kTokenRefused);
  known.set_claims(Claims().SerializeAsString());
  EXPECT_EQ(Ask(known.SerializeAsString()), ErrorCode::kTokenRefused);
}

TEST_F(TokenGateTest, ATokenRunsOutAlsoOneThatIsRemembered) {
  v1::TokenClaims claims = Claims();
  claims.set_expires(kNow + 10);
  const std::string token = Seal(claims);
  EXPECT_EQ(Ask(token), ErrorCode::kOk);
  clock_.Advance(std::chrono::seconds(9));
  EXPECT_EQ(Ask(token), ErrorCode::kOk);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Ask(token), ErrorCode::kTokenRefused);
}

TEST_F(TokenGateTest, ANewerKeyIsFetchedAndTheClientTriesAgain) {
  EXPECT_EQ(Ask(Seal(Claims(4))), ErrorCode::kUnavailable);
  EXPECT_EQ(refreshes_, 1);
  Hear({2, 3, 4});
  EXPECT_EQ(Ask(Seal(Claims(4))), ErrorCode::kOk);
  EXPECT_EQ(Ask(Seal(Claims(1))), ErrorCode::kTokenRefused);  // gone with its tokens
  EXPECT_EQ(refreshes_, 1);
}

TEST_F(TokenGateTest, MoreTokensThanItRemembersAreAllGood) {
  v1::TokenClaims claims = Claims();
  for (int i = 0; i < 100'000; ++i) {
    claims.set_expires(kNow + 3600 + i);
    ASSERT_EQ(Ask(Seal(claims)), ErrorCode::kOk);
  }
}

TEST_F(RuleL1TokenGate, WhoIsShutOutIsRefusedWhateverTheToken) {
  const std::string token = Seal(Claims());
  ASSERT_EQ(Ask(token), ErrorCode::kOk);
  ShutOut(kMount);
  EXPECT_EQ(Ask(token), ErrorCode::kFenced);
  EXPECT_EQ(Ask(token, kTokenWrite), ErrorCode::kFenced);
  EXPECT_EQ(Ask(Seal(Claims(3))), ErrorCode::kFenced);  // one that was not remembered
}

TEST_F(RuleL1TokenGate, WhatWasLetInHoldsTheFenceUp) {
  v1::ChunkAddress chunk;
  chunk.set_session(kMount);
  chunk.set_inode(kFile);
  std::optional<SessionTicket> ticket = *gate_.Admit(chunk, Seal(Claims()), kTokenWrite);
  ShutOut(kMount);
  EXPECT_EQ(fences_.Finished(), 0u);
  ticket.reset();
  EXPECT_EQ(fences_.Finished(), 1u);
}

}  // namespace
}  // namespace cairn

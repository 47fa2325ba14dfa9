#include "rpc/chunk_token.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

const std::string kSecret(kTokenKeyBytes, 's');

v1::TokenClaims Claims() {
  v1::TokenClaims claims;
  claims.set_key(7);
  claims.set_session(0x1234567890abcdefu);
  claims.set_inode(42);
  claims.set_rights(kTokenRead | kTokenWrite);
  claims.set_expires(1'700'000'000);
  return claims;
}

TEST(ChunkToken, SaysWhatWasSealed) {
  const auto token = UncheckedToken::Parse(SealToken(Claims(), kSecret));
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->claims().SerializeAsString(), Claims().SerializeAsString());
  EXPECT_TRUE(token->IsSealedWith(kSecret));
}

TEST(ChunkToken, AnotherKeyIsNotItsKey) {
  const auto token = UncheckedToken::Parse(SealToken(Claims(), kSecret));
  EXPECT_FALSE(token->IsSealedWith(std::string(kTokenKeyBytes, 't')));
  EXPECT_FALSE(token->IsSealedWith(""));
}

TEST(ChunkToken, OtherClaimsUnderTheSameMacAreRefused) {
  v1::ChunkToken sealed;
  ASSERT_TRUE(sealed.ParseFromString(SealToken(Claims(), kSecret)));
  v1::TokenClaims greedy = Claims();
  greedy.set_inode(43);
  sealed.set_claims(greedy.SerializeAsString());
  const auto token = UncheckedToken::Parse(sealed.SerializeAsString());
  ASSERT_TRUE(token.has_value());
  EXPECT_FALSE(token->IsSealedWith(kSecret));
}

TEST(ChunkToken, EveryFlippedBitIsFound) {
  const std::string good = SealToken(Claims(), kSecret);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto token = UncheckedToken::Parse(bad);
    EXPECT_FALSE(token.has_value() && token->IsSealedWith(kSecret)) << bit;
  }
}

TEST(ChunkToken, BytesThatAreNoTokenAreNone) {
  EXPECT_FALSE(UncheckedToken::Parse("").has_value());
  EXPECT_FALSE(UncheckedToken::Parse("\xff\xff\xff").has_value());
  EXPECT_FALSE(UncheckedToken::Parse(std::string(kMaxTokenBytes + 1, 'x')).has_value());
  const std::string good = SealToken(Claims(), kSecret);
  EXPECT_FALSE(UncheckedToken::Parse(good.substr(0, good.size() - 1)).has_value());
}

TEST(ChunkToken, OneTokenHasOneEncoding) {
  const std::string good = SealToken(Claims(), kSecret);
  EXPECT_FALSE(UncheckedToken::Parse(good + std::string("\x18\x01", 2)).has_value());
  EXPECT_FALSE(UncheckedToken::Parse(good + good).has_value());
}

TEST(ChunkToken, TheLargestClaimsFit) {
  v1::TokenClaims claims;
  claims.set_key(UINT32_MAX);
  claims.set_session(UINT64_MAX);
  claims.set_inode(UINT64_MAX);
  claims.set_rights(UINT32_MAX);
  claims.set_expires(INT64_MAX);
  EXPECT_LE(SealToken(claims, kSecret).size(), kMaxTokenBytes);
}

}  // namespace
}  // namespace cairn

#include "metaserver/service/token_issuer.h"

#include "rpc/chunk_token.h"
#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

constexpr SessionId kSession{5};
constexpr InodeId kFile{42};

class TokenIssuerTest : public ServiceTest {
 protected:
  std::vector<v1::TokenKey> Keys() { return (*admission_->Get())->keys; }
  v1::TokenClaims ClaimsOf(const std::string& token) {
    const auto parsed = UncheckedToken::Parse(token);
    return parsed ? parsed->claims() : v1::TokenClaims();
  }
};

TEST_F(TokenIssuerTest, WithoutAKeyThereIsNoToken) {
  EXPECT_TRUE(tokens_->Issue(kSession, kFile, kTokenRead, 0).empty());
}

TEST_F(TokenIssuerTest, AKeyIsMadeOnceAnHour) {
  tokens_->RotateIfDue();
  tokens_->RotateIfDue();
  ASSERT_EQ(Keys().size(), 1u);
  EXPECT_EQ(Keys()[0].secret().size(), kTokenKeyBytes);
  clock_.Advance(kTokenKeyLife - std::chrono::seconds(1));
  tokens_->RotateIfDue();
  EXPECT_EQ(Keys().size(), 1u);
  clock_.Advance(std::chrono::seconds(1));
  tokens_->RotateIfDue();
  ASSERT_EQ(Keys().size(), 2u);
  EXPECT_NE(Keys()[0].secret(), Keys()[1].secret());
}

TEST_F(TokenIssuerTest, OneThatDoesNotServeMakesNone) {
  log_->Hold();  // nothing is committed
  tokens_->RotateIfDue();
  tokens_->RotateIfDue();
  log_->Release();
  EXPECT_EQ(Keys().size(), 1u);
}

TEST_F(TokenIssuerTest, ATokenNamesSessionFileRightsAndItsEnd) {
  tokens_->RotateIfDue();
  const v1::TokenClaims claims = ClaimsOf(tokens_->Issue(kSession, kFile, kTokenWrite, 7));
  EXPECT_EQ(claims.key(), 1u);
  EXPECT_EQ(claims.session(), kSession.value);
  EXPECT_EQ(claims.inode(), kFile.value);
  EXPECT_EQ(claims.rights(), kTokenWrite);
  EXPECT_EQ(claims.generation(), 7u);
  EXPECT_EQ(claims.expires(), clock_.WallNow().seconds + 3600);
}

TEST_F(TokenIssuerTest, NobodyWithoutASessionGetsOne) {
  tokens_->RotateIfDue();
  EXPECT_TRUE(tokens_->Issue(SessionId(0), kFile, kTokenRead, 0).empty());
}

TEST_F(TokenIssuerTest, TheNextKeyIsUsedOnceEveryChunkserverHasIt) {
  tokens_->RotateIfDue();
  clock_.Advance(kTokenKeyLife);
  tokens_->RotateIfDue();
  EXPECT_EQ(ClaimsOf(tokens_->Issue(kSession, kFile, 1, 0)).key(), 1u);
  clock_.Advance(kTokenKeySpread + std::chrono::seconds(1));
  EXPECT_EQ(ClaimsOf(tokens_->Issue(kSession, kFile, 1, 0)).key(), 2u);
}

TEST_F(TokenIssuerTest, ATokenOutlivesTheKeysThatFollowIt) {
  tokens_->RotateIfDue();
  clock_.Advance(kTokenKeyLife);
  tokens_->RotateIfDue();
  // The last moment in which the first key is used, and the end of that token.
  clock_.Advance(kTokenKeySpread);
  const std::string token = tokens_->Issue(kSession, kFile, 1, 0);
  ASSERT_EQ(ClaimsOf(token).key(), 1u);
  for (Duration passed{}; passed < kTokenLife; passed += std::chrono::minutes(1)) {
    clock_.Advance(std::chrono::minutes(1));
    tokens_->RotateIfDue();
  }
  EXPECT_EQ(tokens_->ClaimsOf(token, kSession)->inode(), kFile.value);
}

TEST_F(TokenIssuerTest, RightsFollowTheAccessMode) {
  EXPECT_EQ(TokenRights(O_RDONLY | O_TRUNC), kTokenRead);
  EXPECT_EQ(TokenRights(O_WRONLY | O_APPEND), kTokenWrite);
  EXPECT_EQ(TokenRights(O_RDWR | O_CREAT), kTokenRead | kTokenWrite);
}

}  // namespace

}  // namespace cairn::testing

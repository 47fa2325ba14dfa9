#include "rpc/chunk_token.h"
#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataTokensTest : public ServiceTest {
 protected:
  MetadataTokensTest() { tokens_->RotateIfDue(); }

  v1::TokenClaims ClaimsOf(const std::string& token) {
    const auto parsed = UncheckedToken::Parse(token);
    return parsed ? parsed->claims() : v1::TokenClaims();
  }
  Result<v1::RenewTokensResponse> Renew(uint64_t session, std::vector<std::string> tokens) {
    v1::RenewTokensRequest request;
    request.set_session(session);
    for (std::string& token : tokens) request.add_tokens(std::move(token));
    return Ask<v1::RenewTokensResponse>(v1::METADATA_RENEW_TOKENS, request);
  }

  uint64_t session_ = OpenSession("mount");
  uint64_t other_ = OpenSession("other");
};

TEST_F(MetadataTokensTest, CreateAndOpenAnswerATokenForWhatWasAsked) {
  const v1::EntryResponse made = Create("x", session_);
  v1::TokenClaims claims = ClaimsOf(made.token());
  EXPECT_EQ(claims.session(), session_);
  EXPECT_EQ(claims.inode(), made.attributes().inode());
  EXPECT_EQ(claims.rights(), kTokenRead | kTokenWrite);
  claims = ClaimsOf(Open(claims.inode(), other_, O_RDONLY)->token());
  EXPECT_EQ(claims.session(), other_);
  EXPECT_EQ(claims.rights(), kTokenRead);
  claims = ClaimsOf(Open(claims.inode(), other_, O_WRONLY | O_TRUNC)->token());
  EXPECT_EQ(claims.rights(), kTokenWrite);
}

TEST_F(MetadataTokensTest, ACreateThatFindsTheFileAndItsRetryAnswerOneToo) {
  const v1::CreateRequest request = CreateOf("x", session_);
  ASSERT_TRUE(Ask<v1::EntryResponse>(v1::METADATA_CREATE, request).has_value());
  EXPECT_FALSE(Ask<v1::EntryResponse>(v1::METADATA_CREATE, request)->token().empty());
  const auto found = Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", other_));
  EXPECT_EQ(ClaimsOf(found->token()).session(), other_);
}

// The number of a request is chosen by whoever sends it.
TEST_F(MetadataTokensTest, TheNumberOfAnotherRequestOpensNoFileOfSomebodyElse) {
  v1::CreateRequest secret = CreateOf("secret", session_);
  secret.set_mode(0600);
  const uint64_t inode =
      Ask<v1::EntryResponse>(v1::METADATA_CREATE, secret)->attributes().inode();
  v1::SetAttributesRequest nothing;
  *nothing.mutable_id() = CreateOf("mine", other_).id();
  nothing.mutable_caller()->set_uid(2);
  nothing.set_inode(inode);
  ASSERT_TRUE(Ask<v1::EntryResponse>(v1::METADATA_SET_ATTRIBUTES, nothing).has_value());
  v1::CreateRequest again = CreateOf("mine", other_);
  *again.mutable_id() = nothing.id();
  again.mutable_caller()->set_uid(2);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, again)), Code::kAccessDenied);
  EXPECT_FALSE(sessions_->MayHold(SessionId(other_), InodeId(inode)));

  const uint64_t own = Create("own", other_).attributes().inode();
  v1::OpenRequest cut;
  *cut.mutable_id() = nothing.id();
  cut.set_inode(own);
  cut.set_flags(O_RDWR | O_TRUNC);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, cut)), Code::kInvalidArgument);
}

TEST_F(MetadataTokensTest, ARetriedCreateThatCutAFileThatWasThereHearsOfIt) {
  Create("x", session_);
  const v1::CreateRequest request = CreateOf("x", other_, O_RDWR | O_TRUNC);
  const auto first = Ask<v1::EntryResponse>(v1::METADATA_CREATE, request);
  const auto again = Ask<v1::EntryResponse>(v1::METADATA_CREATE, request);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->attributes().inode(), first->attributes().inode());
  EXPECT_EQ(again->file().generation(), first->file().generation()) << "cut once";
  EXPECT_FALSE(again->token().empty());
}

TEST_F(MetadataTokensTest, LookupsAnswerNone) {
  Create("x", session_);
  EXPECT_TRUE(Lookup("x")->token().empty());
}

TEST_F(MetadataTokensTest, AnOldTokenIsRenewedWithItsRights) {
  const std::string old = Create("x", session_).token();
  const std::string reader = Open(ClaimsOf(old).inode(), session_, O_RDONLY)->token();
  clock_.Advance(kTokenLife * 3 / 2);
  tokens_->RotateIfDue();
  ASSERT_EQ(CodeOf(Open(ClaimsOf(old).inode(), session_)), Code::kOk);  // it is heard
  const auto renewed = Renew(session_, {reader, old});
  ASSERT_TRUE(renewed.has_value());
  ASSERT_EQ(renewed->tokens_size(), 2);
  EXPECT_EQ(ClaimsOf(renewed->tokens(0)).rights(), kTokenRead);
  EXPECT_EQ(ClaimsOf(renewed->tokens(1)).rights(), kTokenRead | kTokenWrite);
  EXPECT_EQ(ClaimsOf(renewed->tokens(1)).expires(), clock_.WallNow().seconds + 3600);
}

TEST_F(MetadataTokensTest, WhatWasNotMadeForTheSessionIsNotRenewed) {
  const v1::EntryResponse entry = Create("x", session_);
  v1::TokenClaims greedy = ClaimsOf(Open(entry.attributes().inode(), session_, O_RDONLY)->token());
  greedy.set_rights(kTokenRead | kTokenWrite);
  const auto renewed =
      Renew(other_, {entry.token(), "", "nonsense", SealToken(greedy, std::string(32, 'x'))});
  ASSERT_EQ(renewed->tokens_size(), 4);
  for (const std::string& token : renewed->tokens()) EXPECT_TRUE(token.empty());
  EXPECT_TRUE(Renew(session_, {SealToken(greedy, std::string(32, 'x'))})->tokens(0).empty());
}

TEST_F(MetadataTokensTest, WhatWasClosedIsNotRenewed) {
  const v1::EntryResponse entry = Create("x", session_);
  EXPECT_FALSE(Renew(session_, {entry.token()})->tokens(0).empty());
  Close(entry.attributes().inode(), session_);
  EXPECT_TRUE(Renew(session_, {entry.token()})->tokens(0).empty());
}

TEST_F(MetadataTokensTest, ATokenWhoseKeyIsGoneIsNotRenewed) {
  const std::string old = Create("x", session_).token();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(kTokenKeyLife);
    tokens_->RotateIfDue();
  }
  EXPECT_TRUE(Renew(session_, {old})->tokens(0).empty());
}

TEST_F(MetadataTokensTest, RuleL1ASessionThatIsNoMoreGetsNoTokens) {
  const std::string old = Create("x", session_).token();
  clock_.Advance(timing::kSessionLife);
  service_->ExpireSilentSessions();
  EXPECT_EQ(CodeOf(Renew(session_, {old})), Code::kUnknownSession);
}

TEST_F(MetadataTokensTest, AThousandAreRenewedAtOnce) {
  EXPECT_EQ(CodeOf(Renew(session_, std::vector<std::string>(1000))), Code::kOk);
  EXPECT_EQ(CodeOf(Renew(session_, std::vector<std::string>(1001))), Code::kTooLarge);
}

}  // namespace

}  // namespace cairn::testing

#include "rpc/tls.h"

#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "tests/rpc/raw_peer.h"
#include "tests/rpc/rpc_fixture.h"

namespace cairn {
namespace {

using testing::HasSubstr;

TEST(TlsContextTest, AMissingFileIsNamed) {
  TestAuthority authority("a");
  for (std::string TlsFiles::*member : {&TlsFiles::ca, &TlsFiles::certificate, &TlsFiles::key}) {
    TlsFiles files = authority.Issue("x");
    files.*member = "/nowhere/file.pem";
    auto loaded = TlsContext::Load(files);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code(), ErrorCode::kNotFound);
    EXPECT_THAT(loaded.error().message(), HasSubstr("/nowhere/file.pem"));
  }
}

TEST(TlsContextTest, AFileThatIsNoPemIsNamed) {
  TestAuthority authority("a");
  TlsFiles files = authority.Issue("x");
  std::ofstream(files.certificate) << "not a certificate";
  auto loaded = TlsContext::Load(files);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(loaded.error().message(), HasSubstr(files.certificate));
}

TEST(TlsContextTest, AKeyOfAnotherCertificateIsRefused) {
  TestAuthority authority("a");
  TlsFiles files = authority.Issue("x");
  files.key = authority.Issue("y").key;
  EXPECT_EQ(TlsContext::Load(files).error().code(), ErrorCode::kInvalidArgument);
}

class TlsTest : public RpcFixture {
 protected:
  TlsTest() : RpcFixture(Carrier::kTls) {}
  void SetUp() override { StartServer(); }

  Status OutcomeWith(std::shared_ptr<const TlsContext> tls) {
    ChannelOptions options = NewChannelOptions();
    options.tls = std::move(tls);
    auto channel = MakeChannel(ServerAddress(), options, poller_);
    auto answer = Ask(*channel, kRecord, "secret");
    return answer.has_value() ? OkStatus() : answer.error();
  }
};

TEST_F(TlsTest, ACertificateOfOurAuthorityIsServed) {
  EXPECT_TRUE(OutcomeWith(authority_.Context("any-name")).ok());
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotTalkedTo) {
  TestAuthority other("other-ca");
  Status outcome = OutcomeWith(other.Context("client-1"));
  EXPECT_EQ(outcome.code(), ErrorCode::kUnauthenticated) << outcome.ToString();
  EXPECT_TRUE(recorded().empty());
}

TEST_F(TlsTest, AClientOfAnotherAuthorityIsRefused) {
  // It trusts our authority, so only the server can refuse.
  TestAuthority other("other-ca");
  TlsFiles files = other.Issue("client-1");
  files.ca = authority_.Issue("x").ca;
  Status outcome = OutcomeWith(*TlsContext::Load(files));
  EXPECT_EQ(outcome.code(), ErrorCode::kUnauthenticated) << outcome.ToString();
  EXPECT_TRUE(recorded().empty());
}

TEST_F(TlsTest, PlainFramesOnATlsPortAreRefusedAndTheServerLivesOn) {
  Status outcome = OutcomeWith(nullptr);
  EXPECT_FALSE(outcome.ok());
  EXPECT_TRUE(recorded().empty());
  EXPECT_TRUE(OutcomeWith(authority_.Context("client-2")).ok());
}

// The test binary leaves SIGPIPE at its default, as a server would: writing to a peer that has gone
// must not end the process.
TEST_F(TlsTest, WritingToAPeerThatIsGoneIsAnErrorNotASignal) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  auto stream = Stream::Tls(pair[0], *authority_.Context("x"), Stream::Side::kClient);
  ASSERT_TRUE(stream.has_value());
  close(pair[1]);
  EXPECT_EQ((*stream)->Handshake().state, IoState::kFailed);
  EXPECT_FALSE((*stream)->error().ok());
}

TEST_F(TlsTest, TlsOnAPlainPortFailsWithinTheDeadline) {
  StopServer();
  options_.tls = nullptr;
  StartServer();
  EXPECT_FALSE(OutcomeWith(authority_.Context("client-1")).ok());
}

}  // namespace
}  // namespace cairn

#include "rpc/server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/crc32c.h"
#include "rpc/dial.h"
#include "rpc/hello.h"
#include "tests/rpc/raw_peer.h"
#include "tests/rpc/rpc_fixture.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ServerTest : public RpcFixture {
 protected:
  void SetUp() override { StartServer(); }
  // Another client is served before and after.
  void ExpectStillServing() {
    auto channel = NewChannel();
    EXPECT_EQ(Ask(*channel, kEcho, "alive"), "alive");
  }
  static Status GoodbyeOf(RawPeer& peer) {
    while (true) {
      auto frame = peer.Receive();
      if (!frame.has_value()) return frame.error();
      if (frame->header.kind == FrameKind::kGoodbye) return ParseDetail(*frame);
    }
  }
};

TEST_F(ServerTest, GarbageIsAnsweredWithTheCauseAndHarmsNobodyElse) {
  RawPeer peer(ServerAddress());
  peer.Send(std::string(100, 'G'));
  Status told = GoodbyeOf(peer);
  EXPECT_EQ(told.code(), ErrorCode::kCorruption);
  EXPECT_THAT(told.message(), HasSubstr("magic"));
  EXPECT_TRUE(peer.AtEnd());
  ExpectStillServing();
}

TEST_F(ServerTest, AHeaderWithAWrongCrcIsRefused) {
  RawPeer peer(ServerAddress());
  peer.SendHello("cluster-a");
  std::string frame = RawPeer::RequestFrame(kEcho, "");
  frame[20] = static_cast<char>(frame[20] ^ 1);
  peer.Send(frame);
  Status told = GoodbyeOf(peer);
  EXPECT_EQ(told.code(), ErrorCode::kCorruption);
  EXPECT_THAT(told.message(), HasSubstr("CRC"));
  ExpectStillServing();
}

TEST_F(ServerTest, ALengthOverTheLimitIsRefusedBeforeItsBytesCome) {
  RawPeer peer(ServerAddress());
  peer.SendHello("cluster-a");
  FrameHeader header;
  header.body_bytes = kMaxBodyBytes + 1;
  peer.Send(RawPeer::HeaderBytes(header));
  EXPECT_EQ(GoodbyeOf(peer).code(), ErrorCode::kTooLarge);
  RawPeer other(ServerAddress());
  other.SendHello("cluster-a");
  header.body_bytes = 0;
  header.payload_bytes = UINT32_MAX;
  other.Send(RawPeer::HeaderBytes(header));
  EXPECT_EQ(GoodbyeOf(other).code(), ErrorCode::kTooLarge);
  ExpectStillServing();
}

TEST_F(ServerTest, AnUnknownVersionOrKindIsRefused) {
  for (size_t at : {4u, 5u}) {
    RawPeer peer(ServerAddress());
    peer.SendHello("cluster-a");
    std::string bytes = RawPeer::HeaderBytes({});
    bytes[at] = 77;
    uint32_t crc = Crc32c(bytes.data(), 36);
    std::memcpy(bytes.data() + 36, &crc, 4);
    peer.Send(bytes);
    EXPECT_EQ(GoodbyeOf(peer).code(), ErrorCode::kUnimplemented) << at;
  }
  ExpectStillServing();
}

TEST_F(ServerTest, AFrameThatEndsInTheMiddleIsNeverHandled) {
  std::string frame = RawPeer::RequestFrame(kRecord, "half");
  for (size_t cut : {1ul, 39ul, 40ul, frame.size() - 1}) {
    RawPeer peer(ServerAddress());
    peer.SendHello("cluster-a");
    peer.Send(frame.substr(0, cut));
    peer.EndSending();
    EXPECT_FALSE(GoodbyeOf(peer).ok());
  }
  EXPECT_TRUE(recorded().empty());
  ExpectStillServing();
}

TEST_F(ServerTest, RandomBytesNeverStopTheServer) {
  const char* given = std::getenv("CAIRN_SEED");
  auto seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    RawPeer peer(ServerAddress());
    if (random() % 2 == 0) peer.SendHello("cluster-a");
    std::string bytes = RawPeer::RequestFrame(kRecord, std::string(random() % 2000, 'r'));
    size_t damage = 1 + random() % 8;
    for (size_t i = 0; i < damage; ++i) bytes[random() % 40] = static_cast<char>(random());
    peer.Send(bytes);
    peer.EndSending();
    (void)GoodbyeOf(peer);
  }
  ExpectStillServing();
}

TEST_F(ServerTest, ACallBeforeTheHelloIsNotHandled) {
  RawPeer peer(ServerAddress());
  peer.Send(RawPeer::RequestFrame(kRecord, "early"));
  EXPECT_EQ(GoodbyeOf(peer).code(), ErrorCode::kCorruption);
  EXPECT_TRUE(recorded().empty());
}

TEST_F(ServerTest, APeerThatNeverSaysHelloIsSentAway) {
  RawPeer peer(ServerAddress());
  EXPECT_EQ(GoodbyeOf(peer).code(), ErrorCode::kDeadlineExceeded);
}

TEST_F(ServerTest, APeerOfAnotherProtocolVersionIsToldBothRanges) {
  v1::Hello hello;
  hello.set_min_version(8);
  hello.set_max_version(9);
  RawPeer peer(ServerAddress());
  peer.SendHello(hello);
  Status told = GoodbyeOf(peer);
  EXPECT_EQ(told.code(), ErrorCode::kUnimplemented);
  EXPECT_THAT(told.message(), HasSubstr("8 to 9"));
  EXPECT_THAT(told.message(), HasSubstr("1 to 1"));
}

TEST_F(ServerTest, ABodyThatDoesNotParseNeverReachesItsHandler) {
  RawPeer peer(ServerAddress());
  peer.SendHello("cluster-a");
  peer.Send(RawPeer::RawRequestFrame(kRecord, "\xff\xff\xff"));
  ASSERT_EQ(peer.Receive()->header.kind, FrameKind::kHello);
  auto answer = peer.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.code, static_cast<uint16_t>(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(recorded().empty());
}

TEST_F(ServerTest, FramesThatComeByteByByteAreServed) {
  RawPeer peer(ServerAddress());
  peer.SendHello("cluster-a");
  for (char byte : RawPeer::RequestFrame(kEcho, "slowly")) peer.Send(std::string(1, byte));
  ASSERT_EQ(peer.Receive()->header.kind, FrameKind::kHello);
  auto answer = peer.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.code, 0);
  EXPECT_THAT(answer->body, HasSubstr("slowly"));
}

TEST_F(ServerTest, AnAnswerAfterStopIsDroppedQuietly) {
  auto channel = NewChannel();
  std::thread caller([&] { (void)Ask(*channel, kHold, ""); });
  AwaitHeld(1);
  StopServer();
  caller.join();
  for (auto& call : TakeHeld()) call->Reply(Text("late"), {});
}

TEST_F(ServerTest, APortInUseIsNamed) {
  auto second = FrameServer::Start(options_, dispatcher_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(ServerAddress().ToString()));
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
  StopServer();
  options_.max_connections = 2;
  StartServer();
  auto first = NewChannel();
  auto second = NewChannel();
  ASSERT_EQ(Ask(*first, kEcho, "1"), "1");
  ASSERT_EQ(Ask(*second, kEcho, "2"), "2");
  auto third = NewChannel();
  Status refused = Ask(*third, kEcho, "3").error();
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("too many connections"));
  EXPECT_EQ(Ask(*first, kEcho, "1"), "1");
}

TEST_F(ServerTest, ListensOnIpv6) {
  StopServer();
  options_.listen = Address{"::1", 0, ""};
  StartServer();
  auto channel = MakeChannel(Address{"::1", server_->port(), ""}, NewChannelOptions(), poller_);
  auto answer = Ask(*channel, kEcho, "six");
  EXPECT_EQ(answer, "six") << answer.error().ToString();
}

// Services 1 and 2 behind one port: each says who it is, and 2 can be held up.
class ChosenServiceTest : public RpcFixture {
 protected:
  ChosenServiceTest() {
    for (uint32_t id : {1u, 2u}) {
      dispatchers_[id].HandleRaw(kEcho, [this, id](std::shared_ptr<ServerCall> call) {
        if (id == 2) stuck_.WaitForNotification();
        call->Reply(Text(std::to_string(id)), {});
      });
    }
    options_.threads = 1;
    options_.lanes = 2;
    auto server = FrameServer::Start(options_, [this](const v1::Hello& peer) {
      return Choose(peer.wanted_server());
    });
    CAIRN_CHECK(server.has_value());
    server_ = *std::move(server);
    options_.listen.port = server_->port();
  }
  ~ChosenServiceTest() override { Free(); }
  void Free() {
    if (!stuck_.HasBeenNotified()) stuck_.Notify();
  }
  Result<FrameService> Choose(uint32_t wanted) {
    if (wanted > 2) return Fail(ErrorCode::kUnavailable, "nobody here is {}", wanted);
    FrameService service;
    const uint32_t id = std::max(wanted, 1u);
    service.dispatcher = &dispatchers_[id];
    service.hello = WithVersions(options_.hello);
    service.hello.set_server(id);
    service.lane = id - 1;
    return service;
  }
  std::shared_ptr<Channel> ChannelWanting(uint32_t id) {
    ChannelOptions options = NewChannelOptions();
    options.hello.set_wanted_server(id);
    return MakeChannel(ServerAddress(), options, poller_);
  }

  std::map<uint32_t, Dispatcher> dispatchers_;
  absl::Notification stuck_;
};

TEST_F(ChosenServiceTest, EachConnectionIsServedByTheOneItWants) {
  Free();
  for (const uint32_t id : {2u, 1u, 2u}) {
    auto channel = ChannelWanting(id);
    EXPECT_EQ(Ask(*channel, kEcho, "who"), std::to_string(id));
    EXPECT_EQ(channel->peer().server(), id);
  }
  auto whoever = ChannelWanting(0);
  EXPECT_EQ(Ask(*whoever, kEcho, "who"), "1");
}

TEST_F(ChosenServiceTest, WhoIsNotHereIsNotServedByAnother) {
  auto channel = ChannelWanting(5);
  const Status refused = Ask(*channel, kEcho, "who").error();
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("nobody here is 5"));
}

TEST_F(ChosenServiceTest, OneThatIsStuckHoldsUpNobodyElseNotEvenNewConnections) {
  auto stuck = ChannelWanting(2);
  absl::Notification answered;
  stuck->CallAsync(kEcho, Text("who"), {}, Deadline::After(60s),
                   [&](const Result<RawReply>&) { answered.Notify(); });
  for (int i = 0; i < 4; ++i) {
    auto channel = ChannelWanting(1);
    EXPECT_EQ(Ask(*channel, kEcho, "who"), "1");
  }
  EXPECT_FALSE(answered.HasBeenNotified());
  Free();
  EXPECT_TRUE(answered.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST_F(ChosenServiceTest, RequestsThatCameBehindTheHelloMoveWithTheConnection) {
  Free();
  RawPeer peer(ServerAddress());
  v1::Hello hello = WithVersions({});
  hello.set_wanted_server(2);
  FrameHeader header;
  header.kind = FrameKind::kHello;
  peer.Send(MakeFrame(header, hello, {})->head + RawPeer::RequestFrame(kEcho, ""));
  auto ours = peer.Receive();
  ASSERT_TRUE(ours.has_value()) << ours.error().ToString();
  EXPECT_EQ(ours->header.kind, FrameKind::kHello);
  auto answer = peer.Receive();
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->header.kind, FrameKind::kResponse);
}

class UnixServerTest : public RpcFixture {
 protected:
  UnixServerTest() : RpcFixture(Carrier::kUnix) {}
};

TEST_F(UnixServerTest, AStaleSocketFileIsReplacedOneInUseIsNot) {
  StartServer();
  auto second = FrameServer::Start(options_, dispatcher_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  auto channel = NewChannel();
  EXPECT_EQ(Ask(*channel, kEcho, "x"), "x");  // the refused one took nothing away
  StopServer();
  // What a killed server leaves behind: a bound socket that nobody listens on.
  int stale = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, unix_path_.c_str(), unix_path_.size() + 1);
  ASSERT_EQ(bind(stale, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  close(stale);
  StartServer();
  EXPECT_EQ(Ask(*channel, kEcho, "y"), "y");
}

TEST_F(UnixServerTest, AnotherFileAtThePathIsLeftAlone) {
  std::ofstream(unix_path_) << "precious";
  EXPECT_EQ(FrameServer::Start(options_, dispatcher_).error().code(), ErrorCode::kExists);
  EXPECT_TRUE(std::filesystem::is_regular_file(unix_path_));
  std::filesystem::remove(unix_path_);
}

}  // namespace
}  // namespace cairn

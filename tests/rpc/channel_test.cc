#include "rpc/channel.h"

#include <thread>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "rpc/frame.h"
#include "tests/rpc/rpc_fixture.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string Pattern(size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  for (size_t i = 0; i < size_bytes; ++i) {
    bytes[i] = static_cast<char>('a' + (i * 31 + i / 4096) % 26);
  }
  return bytes;
}

class ChannelTest : public RpcFixture, public testing::WithParamInterface<Carrier> {
 protected:
  ChannelTest() : RpcFixture(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Carriers, ChannelTest,
                         testing::Values(Carrier::kTcp, Carrier::kTls, Carrier::kUnix),
                         CarrierName);

TEST_P(ChannelTest, BytesOfEverySizeComeBackAsTheyWere) {
  StartServer();
  auto channel = NewChannel();
  for (size_t size : {0ul, 1ul, 4055ul, 4096ul, 16344ul, 16384ul, 65536ul, 131072ul, 1048577ul,
                      4194304ul}) {
    std::string bytes = Pattern(size);
    auto reply = channel->CallRaw(kEcho, Text("x"), Payload::CopyOf(bytes), Deadline::After(30s));
    ASSERT_TRUE(reply.has_value()) << size << ": " << reply.error().ToString();
    EXPECT_TRUE(reply->payload.view() == bytes) << size;
    size_t text = std::min<size_t>(size, kMaxBodyBytes - 16);
    EXPECT_EQ(Ask(*channel, kEcho, bytes.substr(0, text)), bytes.substr(0, text)) << size;
  }
}

TEST_P(ChannelTest, AFrameOverTheLimitsIsRefusedBeforeItIsSent) {
  StartServer();
  auto channel = NewChannel();
  EXPECT_EQ(Ask(*channel, kEcho, std::string(kMaxBodyBytes + 1, 'x')).error().code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(Ask(*channel, kEcho, "", Payload::Allocate(kMaxPayloadBytes + 1)).error().code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(Ask(*channel, kEcho, "still here"), "still here");
}

TEST_P(ChannelTest, ErrorsArriveWithCodeAndWords) {
  StartServer();
  auto channel = NewChannel();
  Status refused = Ask(*channel, kRefuse, "").error();
  EXPECT_EQ(refused.code(), ErrorCode::kNotEmpty);
  EXPECT_EQ(refused.message(), "directory 5 has entries");
  EXPECT_EQ(Ask(*channel, v1::ADMIN_WHERE, "").error().code(), ErrorCode::kUnimplemented);
  EXPECT_EQ(Ask(*channel, kDrop, "").error().code(), ErrorCode::kInternal);
}

TEST_P(ChannelTest, ManyThreadsShareOneConnectionAndEachGetsItsOwnAnswer) {
  StartServer();
  auto channel = NewChannel();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        std::string text = fmt::format("{}-{}", t, i);
        std::string bytes = Pattern(i % 10 == 0 ? 300'000 : 100) + text;
        auto reply = channel->CallRaw(kEcho, Text(text), Payload::CopyOf(bytes),
                                      Deadline::After(30s));
        if (reply.has_value() && reply->payload.view() == bytes) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
}

TEST_P(ChannelTest, AsynchronousAndBlockingCallsMix) {
  StartServer();
  auto channel = NewChannel();
  constexpr int kCalls = 300;
  absl::BlockingCounter left(kCalls);
  std::atomic<int> right{0};
  std::thread blocking([&] {
    for (int i = 0; i < 200; ++i) right += Ask(*channel, kEcho, "sync") == "sync" ? 1 : 0;
  });
  for (int i = 0; i < kCalls; ++i) {
    std::string bytes = Pattern(i % 20 == 0 ? 1'000'000 : 10);
    channel->CallAsync(kEcho, Text("a"), Payload::CopyOf(bytes), Deadline::After(30s),
                       [&, bytes](Result<RawReply> reply) {
                         if (reply.has_value() && reply->payload.view() == bytes) ++right;
                         left.DecrementCount();
                       });
  }
  left.Wait();
  blocking.join();
  EXPECT_EQ(right, kCalls + 200);
}

TEST_P(ChannelTest, ABlockingCallEndsAtItsDeadlineAndTheChannelLivesOn) {
  StartServer();
  auto channel = NewChannel();
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(*channel, kHold, "", {}, 50ms).error().code(), ErrorCode::kDeadlineExceeded);
  auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 50ms);
  EXPECT_LT(took, 5s);
  // The late answer is thrown away, not given to the next call.
  for (auto& call : TakeHeld()) call->Reply(Text("late"), {});
  EXPECT_EQ(Ask(*channel, kEcho, "next"), "next");
}

TEST_P(ChannelTest, AnAsynchronousCallEndsAtItsDeadline) {
  StartServer();
  auto channel = NewChannel();
  absl::Notification ended;
  Status outcome;
  channel->CallAsync(kHold, Text(""), {}, Deadline::After(50ms), [&](Result<RawReply> reply) {
    outcome = reply.error();
    ended.Notify();
  });
  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(outcome.code(), ErrorCode::kDeadlineExceeded);
}

TEST_P(ChannelTest, TheServerLearnsHowLongTheCallerWaits) {
  StartServer();
  auto channel = NewChannel();
  std::thread caller([&] { (void)Ask(*channel, kHold, "", {}, 20s); });
  AwaitHeld(1);
  auto held = TakeHeld();
  EXPECT_GT(held[0]->deadline().Left(), 10s);
  EXPECT_LE(held[0]->deadline().Left(), 20s);
  held[0]->Reply(Text(""), {});
  caller.join();
}

TEST_P(ChannelTest, AfterARestartOfTheServerTheNextCallJustWorks) {
  StartServer();
  auto channel = NewChannel();
  EXPECT_EQ(Ask(*channel, kEcho, "one"), "one");
  StopServer();
  StartServer();
  EXPECT_EQ(Ask(*channel, kEcho, "two"), "two");
}

TEST_P(ChannelTest, CallsUnderWayFailWhenTheServerGoesAndSoDoNewOnesUntilItIsBack) {
  StartServer();
  auto channel = NewChannel();
  Status outcome;
  std::thread caller([&] { outcome = Ask(*channel, kHold, "").error(); });
  AwaitHeld(1);
  StopServer();
  caller.join();
  EXPECT_EQ(outcome.code(), ErrorCode::kUnavailable);
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Ask(*channel, kEcho, "").error().code(), ErrorCode::kUnavailable);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  StartServer();
  // The back-off ends within a second.
  Deadline patience = Deadline::After(10s);
  while (Ask(*channel, kEcho, "back") != "back") ASSERT_FALSE(patience.Passed());
}

TEST_P(ChannelTest, CloseCancelsWhatIsUnderWayAndRefusesMore) {
  StartServer();
  auto channel = NewChannel();
  Status outcome;
  std::thread caller([&] { outcome = Ask(*channel, kHold, "").error(); });
  AwaitHeld(1);
  channel->Close();
  caller.join();
  EXPECT_EQ(outcome.code(), ErrorCode::kCancelled);
  EXPECT_EQ(Ask(*channel, kEcho, "").error().code(), ErrorCode::kCancelled);
}

TEST_P(ChannelTest, BothSidesLearnWhoThePeerIs) {
  StartServer();
  auto channel = NewChannel();
  EXPECT_EQ(channel->peer().server(), 0u);
  std::thread caller([&] { (void)Ask(*channel, kHold, ""); });
  AwaitHeld(1);
  auto held = TakeHeld();
  const PeerIdentity& peer = held[0]->peer();
  EXPECT_EQ(peer.hello.server(), 9u);
  if (GetParam() == Carrier::kTls) {
    EXPECT_EQ(peer.kind, PeerIdentity::Kind::kCertificate);
    EXPECT_EQ(peer.name, "client-1");
  } else if (GetParam() == Carrier::kUnix) {
    EXPECT_EQ(peer.kind, PeerIdentity::Kind::kUnixSocket);
    EXPECT_EQ(peer.uid, getuid());
    EXPECT_EQ(peer.gid, getgid());
    std::vector<gid_t> groups(static_cast<size_t>(getgroups(0, nullptr)));
    (void)getgroups(static_cast<int>(groups.size()), groups.data());
    EXPECT_EQ(peer.groups, groups);
  } else {
    EXPECT_EQ(peer.kind, PeerIdentity::Kind::kNone);
  }
  held[0]->Reply(Text(""), {});
  caller.join();
  EXPECT_EQ(channel->peer().server(), 7u);
}

TEST_P(ChannelTest, AnotherClusterIsRefusedNamingBoth) {
  StartServer();
  ChannelOptions options = NewChannelOptions();
  options.hello.set_cluster_id("cluster-b");
  auto channel = MakeChannel(ServerAddress(), options, poller_);
  Status refused = Ask(*channel, kRecord, "stray").error();
  EXPECT_EQ(refused.code(), ErrorCode::kWrongCluster) << refused.ToString();
  EXPECT_THAT(refused.message(), HasSubstr("cluster-a"));
  EXPECT_THAT(refused.message(), HasSubstr("cluster-b"));
  EXPECT_TRUE(recorded().empty());
}

TEST_P(ChannelTest, CallsOfOneCallerAreHandledInTheirOrder) {
  StartServer();
  auto channel = NewChannel();
  constexpr int kCalls = 500;
  absl::BlockingCounter left(kCalls);
  std::vector<std::string> expected;
  for (int i = 0; i < kCalls; ++i) {
    expected.push_back(std::to_string(i));
    channel->CallAsync(kRecord, Text(expected.back()), {}, Deadline::After(30s),
                       [&](Result<RawReply>) { left.DecrementCount(); });
  }
  left.Wait();
  EXPECT_EQ(recorded(), expected);
}

TEST_P(ChannelTest, ACallerThatIsAloneWakesNoOtherThread) {
  StartServer();
  auto channel = NewChannel();
  ASSERT_EQ(Ask(*channel, kEcho, "x"), "x");
  uint64_t before = poller_->wake_ups();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(Ask(*channel, kEcho, "x"), "x");
  std::string large = Pattern(4 << 20);  // more than the socket takes at once
  auto reply = channel->CallRaw(kEcho, Text(""), Payload::CopyOf(large), Deadline::After(30s));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(poller_->wake_ups(), before);
}

TEST_P(ChannelTest, ManyLargeCallsInFlightDoNotLockUp) {
  StartServer();
  auto channel = NewChannel();
  constexpr int kCalls = 60;  // far more than fits into the buffers of both directions
  std::string large = Pattern(1 << 20);
  Payload payload = Payload::CopyOf(large);
  absl::BlockingCounter left(kCalls);
  std::atomic<int> right{0};
  for (int i = 0; i < kCalls; ++i) {
    channel->CallAsync(kEcho, Text(""), payload, Deadline::After(60s), [&](Result<RawReply> reply) {
      if (reply.has_value() && reply->payload.view() == large) ++right;
      left.DecrementCount();
    });
  }
  left.Wait();
  EXPECT_EQ(right, kCalls);
}

class TcpChannelTest : public RpcFixture {};

TEST_F(TcpChannelTest, ANameWhoseAddressChangesIsFollowed) {
  StartServer();
  auto resolved = std::make_shared<std::vector<std::string>>();
  *resolved = {"127.0.0.1"};
  ChannelOptions options = NewChannelOptions();
  options.resolver = [resolved](const std::string& host) -> Result<std::vector<std::string>> {
    EXPECT_EQ(host, "meta.test");
    return *resolved;
  };
  auto channel = MakeChannel(Address{"meta.test", options_.listen.port, ""}, options, poller_);
  ASSERT_EQ(Ask(*channel, kEcho, "here"), "here");
  StopServer();
  options_.listen.host = "127.0.0.2";
  StartServer();
  *resolved = {"127.0.0.1", "127.0.0.2"};  // the first is dead: the second is tried
  Deadline patience = Deadline::After(10s);
  while (Ask(*channel, kEcho, "there") != "there") ASSERT_FALSE(patience.Passed());
}

TEST_F(TcpChannelTest, FaultRulesDropDelayAndCut) {
  StartServer();
  auto channel = NewChannel();
  ASSERT_EQ(Ask(*channel, kEcho, "x"), "x");
  client_faults_.Set({{FaultOperation::kSend, FaultKind::kDrop, "127.0.0.1", 0, 1, 0ms}});
  EXPECT_EQ(Ask(*channel, kRecord, "lost", {}, 100ms).error().code(),
            ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(recorded().empty());
  client_faults_.Set({{FaultOperation::kReceive, FaultKind::kDrop, "", 0, 1, 0ms}});
  EXPECT_EQ(Ask(*channel, kRecord, "done", {}, 100ms).error().code(),
            ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(recorded(), std::vector<std::string>{"done"});
  client_faults_.Set({{FaultOperation::kSend, FaultKind::kCut, "", 0, 1, 0ms}});
  EXPECT_EQ(Ask(*channel, kEcho, "").error().code(), ErrorCode::kUnavailable);
  client_faults_.Set({{FaultOperation::kConnect, FaultKind::kIoError, "", 0, 1, 0ms}});
  EXPECT_EQ(Ask(*channel, kEcho, "").error().code(), ErrorCode::kUnavailable);
  client_faults_.Set({{FaultOperation::kSend, FaultKind::kDelay, "", 0, 1, 30ms}});
  Deadline patience = Deadline::After(10s);
  while (Ask(*channel, kEcho, "back") != "back") ASSERT_FALSE(patience.Passed());
}

TEST_F(TcpChannelTest, AServerThatAcceptsAndSaysNothingCostsTheDeadlineOnly) {
  options_.faults = &client_faults_;
  client_faults_.Set({{FaultOperation::kReceive, FaultKind::kDrop, "", 0, 0, 0ms}});
  StartServer();
  auto channel = NewChannel();
  EXPECT_EQ(Ask(*channel, kEcho, "", {}, 100ms).error().code(), ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace cairn

#include "raft/frame_transport.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "raft/raft_wire.h"
#include "rpc/server.h"
#include "tests/common/status_matchers.h"
#include "tests/raft/node_group.h"

namespace cairn::testing {
namespace {

using namespace std::chrono_literals;

const std::string kCluster = "cluster";

v1::Hello HelloOf(uint32_t server, v1::Role role = v1::ROLE_METASERVER) {
  v1::Hello hello;
  hello.set_cluster_id(kCluster);
  hello.set_server(server);
  hello.set_role(role);
  return hello;
}

ChannelOptions OptionsOf(const v1::Hello& hello) {
  ChannelOptions options;
  options.hello = hello;
  options.connect_timeout = 300ms;
  return options;
}

// One member on a port of its own.
class Peer {
 public:
  explicit Peer(uint32_t id)
      : id_(id),
        channels_(OptionsOf(HelloOf(id)), "test-poller"),
        transport_(channels_, [](const std::string& text) -> std::optional<Address> {
          return *ParseAddress(text, 0);
        }) {
    RaftNodeOptions options;
    options.directory = directory_.path();
    options.files = &PosixFiles();
    options.clock = &clock_;
    node_ = *RaftNode::Open(options, words_, transport_);
    transport_.SetNode(node_.get());
    RegisterRaftService(dispatcher_, *node_, [] { return kCluster; });
    Listen(0);
  }
  ~Peer() {
    server_->Stop();
    transport_.Stop();
    node_->Stop();
  }

  void Listen(uint16_t port) {
    FrameServerOptions options;
    options.listen = {"127.0.0.1", port, ""};
    options.hello = HelloOf(id_);
    server_ = *FrameServer::Start(options, dispatcher_);
    port_ = server_->port();
  }
  void Deafen() { server_->Stop(); }
  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  RaftNode& node() { return *node_; }
  WordList& words() { return words_; }

 private:
  const uint32_t id_;
  TemporaryDirectory directory_;
  SystemClock clock_;
  WordList words_;
  ChannelPool channels_;
  FrameTransport transport_;
  std::unique_ptr<RaftNode> node_;
  Dispatcher dispatcher_;
  std::unique_ptr<FrameServer> server_;
  uint16_t port_ = 0;
};

class FrameTransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    raft::Members founders;
    for (uint32_t id = 1; id <= 3; ++id) {
      peers_.push_back(std::make_unique<Peer>(id));
      founders[ServerId(id)] = peers_.back()->address();
    }
    for (uint32_t id = 1; id <= 3; ++id) {
      ASSERT_THAT(peers_[id - 1]->node().Adopt(ServerId(id), founders), IsOk());
      peers_[id - 1]->node().Start();
    }
  }
  Peer& Leader() {
    Peer* leader = nullptr;
    NodeGroup::AwaitTrue(
        [&] {
          for (auto& peer : peers_) {
            if (peer->node().ServingTerm() != Term()) leader = peer.get();
          }
          return leader != nullptr;
        },
        "a leader");
    return *leader;
  }
  void Say(const std::string& word) {
    NodeGroup::AwaitTrue(
        [&] {
          absl::Notification finished;
          bool ok = false;
          Leader().node().Propose(word, [&](const Result<std::string>& outcome) {
            ok = outcome.has_value();
            finished.Notify();
          });
          finished.WaitForNotification();
          return ok;
        },
        "the word " + word);
  }
  void AwaitWords(const std::vector<std::string>& words) {
    for (auto& peer : peers_) {
      NodeGroup::AwaitTrue([&] { return peer->words().words() == words; }, "the words");
    }
  }

  std::vector<std::unique_ptr<Peer>> peers_;
};

TEST_F(FrameTransportTest, MembersAgreeOverFrames) {
  Say("one");
  Say("two");
  AwaitWords({"one", "two"});
}

TEST_F(FrameTransportTest, APeerThatDoesNotListenForAWhileCatchesUp) {
  Say("one");
  Peer& leader = Leader();
  Peer& deaf = *(peers_[0].get() == &leader ? peers_[1] : peers_[0]);
  const auto port = static_cast<uint16_t>(std::stoi(deaf.address().substr(10)));
  deaf.Deafen();
  Say("two");
  deaf.Listen(port);
  Say("three");
  AwaitWords({"one", "two", "three"});
}

TEST_F(FrameTransportTest, OnlyTheMetaserverItselfSpeaksForItself) {
  raft::Message message;
  message.from = ServerId(2);
  message.to = ServerId(1);
  message.body = raft::VoteRequest{true, false, LogIndex(0), Term(0)};
  v1::RaftStepRequest request;
  *request.mutable_message() = ToProto(message);
  const auto ask = [&](const v1::Hello& hello) {
    ChannelPool channels(OptionsOf(hello));
    const auto channel = channels.Get(*ParseAddress(peers_[0]->address(), 0));
    return channel->Call<v1::RaftStepResponse>(v1::RAFT_STEP, request, Deadline::After(20s));
  };
  EXPECT_THAT(ask(HelloOf(2)), IsOk());
  EXPECT_THAT(ask(HelloOf(3)), StatusIs(ErrorCode::kPermission));
  EXPECT_THAT(ask(HelloOf(2, v1::ROLE_CHUNKSERVER)), StatusIs(ErrorCode::kPermission));
  v1::Hello stranger = HelloOf(2);
  stranger.clear_cluster_id();
  EXPECT_THAT(ask(stranger), StatusIs(ErrorCode::kWrongCluster));
  request.mutable_message()->clear_body();
  EXPECT_THAT(ask(HelloOf(2)), StatusIs(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace cairn::testing

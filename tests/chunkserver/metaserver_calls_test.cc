// Heartbeats while metaservers are dead, hang or do not lead.
#include "chunkserver/metaserver_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <utility>
#include <vector>

#include "cairn/v1/cluster.pb.h"
#include "rpc/grpc_server.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

// One metaserver as far as heartbeats go. Thread-safe.
class Metaserver {
 public:
  Metaserver() {
    dispatcher_.Handle<v1::HeartbeatRequest, v1::HeartbeatResponse>(
        v1::CLUSTER_HEARTBEAT, [this](const auto& call) {
          ++asked_;
          if (on_asked_) on_asked_();
          if (hangs_) {
            absl::MutexLock lock(&mu_);
            held_.push_back(call);
          } else if (leads_) {
            call.Reply(v1::HeartbeatResponse());
          } else {
            call.Fail(Status(ErrorCode::kNotLeader, "does not lead"));
          }
        });
    GrpcServerOptions options;
    options.listen.host = "127.0.0.1";
    options.services = {"cairn.v1.Cluster"};
    auto server = GrpcServer::Start(options, dispatcher_);
    CAIRN_CHECK(server.has_value());
    server_ = std::move(*server);
    address_ = {"127.0.0.1", server_->port(), ""};
  }
  ~Metaserver() { Stop(); }

  void Stop() {
    {
      absl::MutexLock lock(&mu_);
      held_.clear();
    }
    server_.reset();
  }
  Metaserver& Lead(bool leads = true) {
    leads_ = leads;
    return *this;
  }
  Metaserver& Hang(bool hangs = true) {
    hangs_ = hangs;
    return *this;
  }
  // Runs before the answer; set before the first call.
  void OnAsked(std::function<void()> on_asked) { on_asked_ = std::move(on_asked); }
  const Address& address() const { return address_; }
  int asked() const { return asked_; }

 private:
  Dispatcher dispatcher_;
  std::atomic<bool> leads_{false}, hangs_{false};
  std::atomic<int> asked_{0};
  std::function<void()> on_asked_;
  absl::Mutex mu_;
  std::vector<Call<v1::HeartbeatRequest, v1::HeartbeatResponse>> held_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<GrpcServer> server_;
  Address address_;
};

class MetaserverCallsTest : public testing::Test {
 protected:
  MetaserverCalls& Calls(const std::vector<const Metaserver*>& told) {
    std::vector<Address> addresses;
    for (const Metaserver* metaserver : told) addresses.push_back(metaserver->address());
    calls_ = std::make_unique<MetaserverCalls>(addresses, nullptr);
    return *calls_;
  }
  Status Beat(Duration limit = 1s) {
    v1::HeartbeatResponse response;
    return calls_->Call("/cairn.v1.Cluster/Heartbeat", v1::HeartbeatRequest(), response,
                        Deadline::After(limit));
  }
  static MetaserverCaller::MetaserverList List(const std::vector<const Metaserver*>& members) {
    MetaserverCaller::MetaserverList list;
    for (const Metaserver* metaserver : members) {
      v1::Endpoint& grpc = *list.Add()->mutable_address()->mutable_grpc();
      grpc.set_host(metaserver->address().host);
      grpc.set_port(metaserver->address().port);
    }
    return list;
  }

  Metaserver a_, b_, c_;
  std::unique_ptr<MetaserverCalls> calls_;
};

TEST_F(MetaserverCallsTest, TheOneThatAnsweredIsAskedFirstFromThenOn) {
  Calls({&a_, &b_, &c_});
  c_.Lead();
  ASSERT_TRUE(Beat().ok());
  ASSERT_TRUE(Beat().ok());
  ASSERT_TRUE(Beat().ok());
  EXPECT_EQ(a_.asked(), 1);
  EXPECT_EQ(b_.asked(), 1);
  EXPECT_EQ(c_.asked(), 3);
}

TEST_F(MetaserverCallsTest, AHeartbeatReachesTheLeaderPastOneThatHangsAndOneThatIsDead) {
  Calls({&a_, &b_, &c_});
  a_.Lead();
  ASSERT_TRUE(Beat().ok());
  a_.Hang();
  b_.Stop();
  c_.Lead();
  EXPECT_TRUE(Beat(1s).ok());
}

TEST_F(MetaserverCallsTest, OneThatHungComesLastUntilItAnswersAgain) {
  Calls({&a_, &b_});
  a_.Hang();
  b_.Lead();
  ASSERT_TRUE(Beat().ok());
  EXPECT_EQ(a_.asked(), 1);
  b_.Lead(false);
  a_.Hang(false).Lead();
  const int b_asked = b_.asked();
  ASSERT_TRUE(Beat().ok());
  EXPECT_EQ(b_.asked(), b_asked + 1);
  ASSERT_TRUE(Beat().ok());
  EXPECT_EQ(b_.asked(), b_asked + 1);
}

TEST_F(MetaserverCallsTest, ALeaderThatWasOnlySlowGetsASecondChanceInTheSameCall) {
  Calls({&a_, &b_, &c_});
  a_.Lead().Hang();
  b_.OnAsked([this] { a_.Hang(false); });
  EXPECT_TRUE(Beat(6s).ok());
  EXPECT_EQ(a_.asked(), 2);
}

TEST_F(MetaserverCallsTest, TheRefusalOfAllIsTheAnswer) {
  Calls({&a_, &b_});
  EXPECT_EQ(Beat().code(), ErrorCode::kNotLeader);
}

TEST_F(MetaserverCallsTest, OthersAreAskedOnceTheyWereHeardOf) {
  Calls({&a_});
  c_.Lead();
  EXPECT_FALSE(Beat().ok());
  calls_->Learn(List({&a_, &b_, &c_}));
  EXPECT_TRUE(Beat().ok());
  a_.Stop();
  EXPECT_TRUE(Beat().ok());
  EXPECT_EQ(b_.asked(), 1);
}

TEST_F(MetaserverCallsTest, OneThatLeftTheGroupIsForgottenUnlessItWasTold) {
  Calls({&a_});
  calls_->Learn(List({&a_, &b_}));
  calls_->Learn(List({&c_}));
  EXPECT_FALSE(Beat().ok());
  EXPECT_EQ(a_.asked(), 1);
  EXPECT_EQ(b_.asked(), 0);
  EXPECT_EQ(c_.asked(), 1);
}

}  // namespace
}  // namespace cairn

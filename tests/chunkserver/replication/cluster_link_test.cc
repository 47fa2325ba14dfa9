#include "chunkserver/replication/cluster_link.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// Answers as it is told to, and counts.
class FakeMetaserver final : public MetaserverCaller {
 public:
  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline) override {
    absl::MutexLock lock(&mu_);
    if (method == "/cairn.v1.Cluster/Join") {
      ++joins_;
      RETURN_IF_ERROR(join_);
      v1::JoinResponse& joined = dynamic_cast<v1::JoinResponse&>(response);
      joined.set_cluster_id("c1");
      joined.set_server(4);
      return OkStatus();
    }
    if (method != "/cairn.v1.Cluster/Heartbeat") return OkStatus();
    ++heartbeats_;
    last_version_ = dynamic_cast<const v1::HeartbeatRequest&>(request).map_version();
    RETURN_IF_ERROR(heartbeat_);
    v1::ClusterMap& map = *dynamic_cast<v1::HeartbeatResponse&>(response).mutable_changes();
    map = map_;
    map.set_version(17);
    dynamic_cast<v1::HeartbeatResponse&>(response).add_metaservers()->set_server(9);
    return OkStatus();
  }
  void Learn(const MetaserverList& members) override {
    absl::MutexLock lock(&mu_);
    learned_ = members.at(0).server();
  }
  void AnswerJoin(Status status) {
    absl::MutexLock lock(&mu_);
    join_ = std::move(status);
  }
  void AnswerHeartbeat(Status status) {
    absl::MutexLock lock(&mu_);
    heartbeat_ = std::move(status);
  }
  void AnswerMap(v1::ClusterMap map) {
    absl::MutexLock lock(&mu_);
    map_ = std::move(map);
  }
  int joins() {
    absl::MutexLock lock(&mu_);
    return joins_;
  }
  int heartbeats() {
    absl::MutexLock lock(&mu_);
    return heartbeats_;
  }
  uint64_t last_version() {
    absl::MutexLock lock(&mu_);
    return last_version_;
  }
  uint32_t learned() {
    absl::MutexLock lock(&mu_);
    return learned_;
  }

 private:
  absl::Mutex mu_;
  Status join_;
  Status heartbeat_;
  v1::ClusterMap map_;
  int joins_ = 0;
  int heartbeats_ = 0;
  uint64_t last_version_ = 0;
  uint32_t learned_ = 0;
};

class ClusterLinkTest : public testing::Test {
 protected:
  ClusterLinkTest() : table_(clock_), link_(table_, clock_, metaserver_) {
    ClusterLinkOptions options;
    options.join.set_incarnation(2);
    options.joined = [](const std::string&, ServerId) { return OkStatus(); };
    options.vitals = [] { return v1::HeartbeatRequest(); };
    options.refused = [this](const Status& status) {
      absl::MutexLock lock(&mu_);
      refused_ = status.code();
    };
    link_.SetOptions(std::move(options));
  }
  ErrorCode refused() {
    absl::MutexLock lock(&mu_);
    return refused_;
  }
  ManualClock clock_;
  GroupTable table_;
  FakeMetaserver metaserver_;
  absl::Mutex mu_;
  ErrorCode refused_ = ErrorCode::kOk;
  ClusterLink link_;
};

TEST_F(ClusterLinkTest, JoinsAndThenHoldsALease) {
  link_.Start();
  ASSERT_TRUE(Eventually([&] { return table_.CheckLease().ok(); }));
  EXPECT_EQ(table_.self(), ServerId(4));
  EXPECT_EQ(table_.incarnation(), Incarnation(2));
  link_.RefreshSoon();
  EXPECT_TRUE(Eventually([&] { return metaserver_.last_version() == 17; }));
}

TEST_F(ClusterLinkTest, WhoTheMetaserversAreComesWithTheHeartbeat) {
  link_.Start();
  EXPECT_TRUE(Eventually([&] { return metaserver_.learned() == 9; }));
}

TEST_F(ClusterLinkTest, AsksAgainUntilSomebodyLetsItJoin) {
  metaserver_.AnswerJoin(Status(ErrorCode::kUnavailable, "not founded"));
  link_.Start();
  ASSERT_TRUE(Eventually([&] { return metaserver_.joins() >= 2; }));
  EXPECT_FALSE(table_.CheckLease().ok());
  metaserver_.AnswerJoin(OkStatus());
  EXPECT_TRUE(Eventually([&] { return table_.CheckLease().ok(); }));
}

TEST_F(ClusterLinkTest, AnUnknownStartJoinsAgain) {
  metaserver_.AnswerHeartbeat(Status(ErrorCode::kNotFound, "start 2 has not joined"));
  link_.Start();
  ASSERT_TRUE(Eventually([&] { return metaserver_.joins() >= 2; }));
  EXPECT_EQ(refused(), ErrorCode::kOk);
}

TEST_F(ClusterLinkTest, AnotherClusterMeansStop) {
  metaserver_.AnswerJoin(Status(ErrorCode::kWrongCluster, "this is cluster c2"));
  link_.Start();
  EXPECT_TRUE(Eventually([&] { return refused() == ErrorCode::kWrongCluster; }));
}

TEST(RuleC1, AHeartbeatThatIsNotAnsweredExtendsNoLease) {
  ManualClock clock;
  GroupTable table(clock);
  FakeMetaserver metaserver;
  ClusterLink link(table, clock, metaserver);
  ClusterLinkOptions options;
  options.joined = [](const std::string&, ServerId) { return OkStatus(); };
  options.vitals = [] { return v1::HeartbeatRequest(); };
  options.refused = [](const Status&) {};
  link.SetOptions(std::move(options));
  link.Start();
  ASSERT_TRUE(Eventually([&] { return table.CheckLease().ok(); }));
  metaserver.AnswerHeartbeat(Status(ErrorCode::kUnavailable, "not leading"));
  clock.Advance(timing::kChunkLease);
  const int before = metaserver.heartbeats();
  link.RefreshSoon();
  ASSERT_TRUE(Eventually([&] { return metaserver.heartbeats() > before + 1; }));
  EXPECT_EQ(table.CheckLease().code(), ErrorCode::kUnavailable);
}

TEST(RuleC1, ALeaseThatHadRunOutIsNotBackBeforeTheMapThatCameWithIt) {
  ManualClock clock;
  GroupTable table(clock);
  absl::Mutex mu;
  std::optional<ErrorCode> seen;
  table.OnChange([&](const std::vector<PgId>&) {
    absl::MutexLock lock(&mu);
    seen = table.CheckLease().code();
  });
  FakeMetaserver metaserver;
  ClusterLink link(table, clock, metaserver);
  ClusterLinkOptions options;
  options.joined = [](const std::string&, ServerId) { return OkStatus(); };
  options.vitals = [] { return v1::HeartbeatRequest(); };
  options.refused = [](const Status&) {};
  link.SetOptions(std::move(options));
  v1::ClusterMap map;
  map.add_groups()->set_epoch(1);
  metaserver.AnswerMap(map);
  link.Start();
  ASSERT_TRUE(Eventually([&] { return table.CheckLease().ok(); }));
  absl::MutexLock lock(&mu);
  EXPECT_EQ(seen, ErrorCode::kUnavailable);
}

TEST(RuleL1, AnAnswerWithoutTheWholeListOfFencesIsNoLease) {
  ManualClock clock;
  GroupTable table(clock);
  FakeMetaserver metaserver;
  ClusterLink link(table, clock, metaserver);
  std::atomic<bool> whole{false};
  std::atomic<bool> leased_too_early{false};
  ClusterLinkOptions options;
  options.joined = [](const std::string&, ServerId) { return OkStatus(); };
  options.vitals = [] { return v1::HeartbeatRequest(); };
  options.heard = [&](const v1::HeartbeatResponse&) {
    if (table.CheckLease().ok() && !whole) leased_too_early = true;
    return whole.load();
  };
  options.refused = [](const Status&) {};
  link.SetOptions(std::move(options));
  link.Start();
  ASSERT_TRUE(Eventually([&] { return metaserver.heartbeats() >= 3; }));
  EXPECT_EQ(table.CheckLease().code(), ErrorCode::kUnavailable);
  whole = true;
  EXPECT_TRUE(Eventually([&] { return table.CheckLease().ok(); }));
  EXPECT_FALSE(leased_too_early);
}

}  // namespace
}  // namespace cairn

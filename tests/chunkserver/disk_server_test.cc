#include "chunkserver/disk_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "chunkserver/local/local_page.h"
#include "client/local_page_view.h"
#include "common/data_directory.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

// Welcomes the disk as server 9 of cluster c1, or refuses it.
class FakeMetaserver final : public MetaserverCaller {
 public:
  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response, Deadline) override {
    if (method != "/cairn.v1.Cluster/Join") return OkStatus();
    absl::MutexLock lock(&mu_);
    asked_ = dynamic_cast<const v1::JoinRequest&>(request);
    RETURN_IF_ERROR(answer_);
    dynamic_cast<v1::JoinResponse&>(response).set_cluster_id("c1");
    dynamic_cast<v1::JoinResponse&>(response).set_server(9);
    return OkStatus();
  }
  void Refuse(Status why) {
    absl::MutexLock lock(&mu_);
    answer_ = std::move(why);
  }
  v1::JoinRequest asked() {
    absl::MutexLock lock(&mu_);
    return asked_;
  }

 private:
  absl::Mutex mu_;
  Status answer_;
  v1::JoinRequest asked_;
};

class DiskServerTest : public ::testing::Test {
 protected:
  DiskServerTest() {
    config_.directories = {directory_ / "disk1", directory_ / "disk2"};
    config_.host = "stone";
    around_ = {&config_, &PosixFiles(), &clock_, &faults_, nullptr, &metaserver_};
  }
  Result<std::unique_ptr<DiskServer>> Open() {
    return DiskServer::Open(config_.directories[0], around_);
  }
  // Until the cluster has said yes or no.
  void Join(DiskServer& disk, ServerId chunkserver) {
    DiskJoin join;
    join.frames.set_host("stone");
    join.frames.set_port(7410);
    join.chunkserver = chunkserver;
    join.joined = [this](ServerId) { Note("joined"); };
    join.refused = [this](const Status&) { Note("refused"); };
    disk.Start();
    disk.Join(std::move(join));
    absl::MutexLock lock(&mu_);
    const auto noted = [this] { return !outcome_.empty(); };
    ASSERT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&noted), absl::Seconds(10)));
  }
  static Status Stop(DiskServer& disk) {
    disk.Leave();
    disk.StopWorkers();
    return disk.Close();
  }
  std::string outcome() {
    absl::MutexLock lock(&mu_);
    return outcome_;
  }

  TemporaryDirectory directory_;
  ChunkserverConfig config_;
  SystemClock clock_;
  FaultPlan faults_;
  FakeMetaserver metaserver_;
  DiskSurroundings around_;

 private:
  void Note(const std::string& outcome) {
    absl::MutexLock lock(&mu_);
    outcome_ = outcome;
  }
  absl::Mutex mu_;
  std::string outcome_;
};

TEST_F(DiskServerTest, ANewDiskIsNobodyUntilTheClusterGivesItAnId) {
  auto disk = Open();
  ASSERT_THAT(disk, IsOk());
  EXPECT_EQ((*disk)->id(), ServerId(0));
  Join(**disk, ServerId(4));
  EXPECT_EQ(outcome(), "joined");
  EXPECT_EQ((*disk)->id(), ServerId(9));
  EXPECT_EQ((*disk)->MakeHello().server(), 9u);
  EXPECT_EQ((*disk)->MakeHello().cluster_id(), "c1");
  EXPECT_THAT(Stop(**disk), IsOk());
}

TEST_F(DiskServerTest, ItSaysWhoseDiskItIsAndWhereItsProcessListens) {
  auto disk = Open();
  ASSERT_THAT(disk, IsOk());
  Join(**disk, ServerId(4));
  const v1::JoinRequest asked = metaserver_.asked();
  EXPECT_EQ(asked.chunkserver(), 4u);
  EXPECT_EQ(asked.host(), "stone");
  EXPECT_EQ(asked.frames().port(), 7410u);
  EXPECT_FALSE(asked.disk_uuid().empty());
  EXPECT_EQ(asked.incarnation(), 1u);
}

TEST_F(DiskServerTest, ItKeepsItsIdOverAStop) {
  {
    auto disk = Open();
    ASSERT_THAT(disk, IsOk());
    Join(**disk, ServerId(0));
    ASSERT_THAT(Stop(**disk), IsOk());
  }
  auto again = Open();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->id(), ServerId(9));
  EXPECT_EQ((*again)->MakeHello().incarnation(), 2u);
}

// As after kill -9 and a start within the lease: somebody has the page mapped still.
TEST_F(DiskServerTest, ThePageOfAnEarlierStartIsRevokedBeforeItJoins) {
  config_.unix_socket = directory_ / "chunk.sock";
  std::string uuid;
  {
    auto disk = Open();
    ASSERT_THAT(disk, IsOk());
    EXPECT_NE((*disk)->local_grants(), nullptr);
    ASSERT_THAT(Stop(**disk), IsOk());
  }
  {
    auto data = DataDirectory::Open(PosixFiles(), config_.directories[0], kChunkserverRole);
    ASSERT_THAT(data, IsOk());
    uuid = (*data)->disk_uuid();
  }
  auto killed = *LocalPage::Make(LocalPagePath(config_.unix_socket, uuid));
  const auto view = *client::LocalPageView::Map(Descriptor(dup(killed->descriptor())));
  killed->LeaseExtended(clock_.Now() + timing::kChunkLease);
  ASSERT_TRUE(view->LeaseHolds(clock_.Now()));
  auto disk = Open();
  ASSERT_THAT(disk, IsOk());
  EXPECT_FALSE(view->LeaseHolds(clock_.Now()));
}

TEST_F(DiskServerTest, OneThatIsRefusedSaysSo) {
  metaserver_.Refuse(Status(ErrorCode::kWrongCluster, "who are you"));
  auto disk = Open();
  ASSERT_THAT(disk, IsOk());
  Join(**disk, ServerId(0));
  EXPECT_EQ(outcome(), "refused");
  EXPECT_TRUE((*disk)->refused());
}

TEST_F(DiskServerTest, ADiskThatFailedOnceIsNotOpenedAgain) {
  {
    auto data = DataDirectory::Open(PosixFiles(), config_.directories[0], kChunkserverRole);
    ASSERT_THAT(data, IsOk());
    ASSERT_THAT((*data)->MarkDiskFailed(Status(ErrorCode::kIoError, "bad sector")), IsOk());
  }
  EXPECT_THAT(Open(), StatusIs(ErrorCode::kDiskFailed));
}

}  // namespace
}  // namespace cairn

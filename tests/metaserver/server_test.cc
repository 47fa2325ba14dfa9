#include "metaserver/server.h"

#include <gtest/gtest.h>

#include "cairn/v1/admin.pb.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "rpc/channel_pool.h"
#include "rpc/grpc_channel.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"
#include "tests/support/test_certificates.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

// A real metaserver on free ports, asked over gRPC and over frames.
class ServerTest : public ::testing::Test {
 protected:
  MetaserverConfig Config() {
    MetaserverConfig config;
    config.directory = place_ / "meta";
    config.listen = {"127.0.0.1", 0, ""};
    config.grpc_listen = {"127.0.0.1", 0, ""};
    config.unix_socket = place_ / "meta.sock";
    config.tls = files_;
    return config;
  }
  void Start() {
    auto started = Metaserver::Start(Config(), nullptr);
    ASSERT_THAT(started, IsOk());
    server_ = *std::move(started);
    grpc_ = GrpcChannel::Make({"127.0.0.1", server_->grpc_port(), ""}, tls_);
  }
  Status Call(const std::string& method, const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response) {
    return grpc_->Call("/cairn.v1." + method, request, response, Deadline::After(20s));
  }
  Status Adopt(const std::string& id) {
    v1::AdoptMetaserverRequest request;
    request.set_cluster_id(id);
    request.set_server(1);
    v1::MetaserverMember& self = *request.add_founders();
    self.set_server(1);
    for (auto* endpoint :
         {self.mutable_address()->mutable_frames(), self.mutable_address()->mutable_grpc()}) {
      endpoint->set_host("127.0.0.1");
      endpoint->set_port(server_->port());
    }
    v1::AdoptMetaserverResponse response;
    return Call("Admin/AdoptMetaserver", request, response);
  }
  // Alone it leads as soon as its vote for itself is on disk.
  Status Await(const std::function<Status()>& call) {
    const Deadline deadline = Deadline::After(20s);
    Status status;
    do {
      status = call();
    } while (status.code() == ErrorCode::kNotLeader && !deadline.Passed());
    return status;
  }
  Status Found(const std::string& id) {
    RETURN_IF_ERROR(Adopt(id));
    return Await([&] { return JustFound(id); });
  }
  Status JustFound(const std::string& id) {
    v1::FoundClusterRequest request;
    request.set_cluster_id(id);
    request.set_copies(1);
    v1::FoundClusterResponse response;
    return Call("Admin/FoundCluster", request, response);
  }
  v1::GetStatusResponse GetStatus() {
    v1::GetStatusResponse response;
    EXPECT_THAT(Call("Admin/GetStatus", v1::GetStatusRequest(), response), IsOk());
    return response;
  }
  Result<v1::JoinResponse> Join(uint64_t incarnation) {
    v1::JoinRequest request;
    request.set_disk_uuid("disk-1");
    request.mutable_frames()->set_host("localhost");
    request.mutable_frames()->set_port(1);
    request.set_boot_id("boot");
    request.set_incarnation(incarnation);
    v1::JoinResponse response;
    RETURN_IF_ERROR(Await([&] { return Call("Cluster/Join", request, response); }));
    return response;
  }

  TemporaryDirectory place_;
  TestAuthority authority_{"metaserver"};
  TlsFiles files_ = authority_.Issue("metaserver-1");
  std::shared_ptr<const TlsContext> tls_ = authority_.Context("client");
  std::unique_ptr<Metaserver> server_;
  std::unique_ptr<GrpcChannel> grpc_;
};

TEST_F(ServerTest, IsBornServesAndRemembersOverARestart) {
  Start();
  EXPECT_EQ(GetStatus().metaserver().role(), "unborn");
  v1::JoinResponse none;
  EXPECT_THAT(Call("Cluster/Join", v1::JoinRequest(), none), StatusIs(ErrorCode::kNotLeader));
  ASSERT_THAT(Found("c1"), IsOk());
  EXPECT_THAT(Found("c2"), StatusIs(ErrorCode::kWrongCluster));
  const auto joined = Join(1);
  ASSERT_THAT(joined, IsOk());
  EXPECT_EQ(joined->cluster_id(), "c1");

  ASSERT_THAT(server_->Stop(), IsOk());
  server_.reset();
  Start();
  EXPECT_EQ(GetStatus().cluster_id(), "c1");
  EXPECT_EQ(Join(2)->server(), joined->server());
  EXPECT_EQ(GetStatus().chunkservers_size(), 1);
}

TEST_F(ServerTest, ServesTheNamespaceOverFrames) {
  Start();
  ASSERT_THAT(Found("c1"), IsOk());
  ChannelPool channels({});
  const auto channel = channels.Get({"", 0, place_ / "meta.sock"});
  v1::GetAttributesRequest request;
  request.set_inode(1);
  const auto root =
      channel->Call<v1::EntryResponse>(v1::METADATA_GET_ATTRIBUTES, request, Deadline::After(20s));
  ASSERT_THAT(root, IsOk());
  EXPECT_EQ(root->attributes().inode(), 1u);
}

TEST_F(ServerTest, FramesOfAnotherClusterAreRefused) {
  Start();
  ASSERT_THAT(Found("c1"), IsOk());
  ChannelOptions options;
  options.hello.set_cluster_id("c2");
  ChannelPool channels(options);
  const auto answer = channels.Get({"", 0, place_ / "meta.sock"})
                          ->Call<v1::GetStatusResponse>(
                              v1::ADMIN_GET_STATUS, v1::GetStatusRequest(), Deadline::After(20s));
  EXPECT_THAT(answer, StatusIs(ErrorCode::kWrongCluster));
}

TEST_F(ServerTest, ASecondOneOnTheSameDirectoryIsRefused) {
  Start();
  EXPECT_THAT(Metaserver::Start(Config(), nullptr), StatusIs(ErrorCode::kBusy));
}

TEST_F(ServerTest, APortInUseIsNamed) {
  Start();
  MetaserverConfig config = Config();
  config.directory = place_ / "other";
  config.unix_socket = place_ / "other.sock";
  config.listen.port = server_->port();
  const auto second = Metaserver::Start(config, nullptr);
  EXPECT_THAT(second, StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(second.error().message(), ::testing::HasSubstr(std::to_string(server_->port())));
}

}  // namespace
}  // namespace cairn

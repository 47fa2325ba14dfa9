#include "tests/rpc/rpc_fixture.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "absl/time/time.h"

namespace cairn {
namespace {

std::string NewSocketPath() {
  static std::atomic<int> count{0};
  return (std::filesystem::temp_directory_path() /
          fmt::format("cairn_rpc_{}_{}.sock", getpid(), ++count))
      .string();
}

}  // namespace

RpcFixture::RpcFixture(Carrier carrier) : carrier_(carrier) {
  AddMethods();
  options_.name = "test-server";
  options_.hello.set_cluster_id("cluster-a");
  options_.hello.set_server(7);
  if (carrier == Carrier::kUnix) {
    unix_path_ = NewSocketPath();
    options_.unix_path = unix_path_;
  } else {
    options_.listen.host = "127.0.0.1";
    if (carrier == Carrier::kTls) options_.tls = authority_.Context("server-1");
  }
}

RpcFixture::~RpcFixture() {
  StopServer();
  TakeHeld();
}

void RpcFixture::AddMethods() {
  dispatcher_.HandleRaw(kEcho, [](std::shared_ptr<ServerCall> call) {
    v1::StatusDetail body;
    ASSERT_TRUE(body.ParseFromArray(call->body().data(), static_cast<int>(call->body().size())));
    call->Reply(body, call->payload());
  });
  dispatcher_.HandleRaw(kHold, [this](std::shared_ptr<ServerCall> call) {
    absl::MutexLock lock(&mu_);
    held_.push_back(std::move(call));
  });
  dispatcher_.HandleRaw(kDrop, [](std::shared_ptr<ServerCall>) {});
  dispatcher_.HandleRaw(kRefuse, [](std::shared_ptr<ServerCall> call) {
    call->Fail(Status(ErrorCode::kNotEmpty, "directory 5 has entries"));
  });
  dispatcher_.Handle<v1::StatusDetail, v1::StatusDetail>(
      kRecord, [this](const Call<v1::StatusDetail, v1::StatusDetail>& call) {
        {
          absl::MutexLock lock(&mu_);
          recorded_.push_back(call.request().message());
        }
        call.Reply(call.request());
      });
}

void RpcFixture::StartServer() {
  auto server = FrameServer::Start(options_, dispatcher_);
  ASSERT_TRUE(server.has_value()) << server.error().ToString();
  server_ = *std::move(server);
  options_.listen.port = server_->port();  // a restart comes back at the same place
}

Address RpcFixture::ServerAddress() const {
  if (carrier_ == Carrier::kUnix) return Address{"", 0, unix_path_};
  return Address{"127.0.0.1", options_.listen.port, ""};
}

ChannelOptions RpcFixture::NewChannelOptions() {
  ChannelOptions options;
  options.hello.set_cluster_id("cluster-a");
  options.hello.set_server(9);
  if (carrier_ == Carrier::kTls) options.tls = authority_.Context("client-1");
  options.faults = &client_faults_;
  return options;
}

std::shared_ptr<Channel> RpcFixture::NewChannel() {
  return MakeChannel(ServerAddress(), NewChannelOptions(), poller_);
}

v1::StatusDetail RpcFixture::Text(const std::string& text) {
  v1::StatusDetail body;
  body.set_message(text);
  return body;
}

Result<std::string> RpcFixture::Ask(Channel& channel, v1::Method method, const std::string& text,
                                    Payload payload, Duration timeout) {
  ASSIGN_OR_RETURN(RawReply reply, channel.CallRaw(method, Text(text), std::move(payload),
                                                   Deadline::After(timeout)));
  ASSIGN_OR_RETURN(v1::StatusDetail body, reply.Parse<v1::StatusDetail>());
  return body.message();
}

std::vector<std::shared_ptr<ServerCall>> RpcFixture::TakeHeld() {
  absl::MutexLock lock(&mu_);
  return std::exchange(held_, {});
}

void RpcFixture::AwaitHeld(size_t count) {
  auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return held_.size() >= count;
  };
  absl::MutexLock lock(&mu_);
  ASSERT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10)));
}

std::vector<std::string> RpcFixture::recorded() {
  absl::MutexLock lock(&mu_);
  return recorded_;
}

std::string CarrierName(const testing::TestParamInfo<Carrier>& info) {
  switch (info.param) {
    case Carrier::kTcp:
      return "Tcp";
    case Carrier::kTls:
      return "Tls";
    case Carrier::kUnix:
      return "Unix";
  }
  return "";
}

}  // namespace cairn

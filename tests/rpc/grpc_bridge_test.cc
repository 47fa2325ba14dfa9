#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "cairn/v1/admin.pb.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "cli/certificates.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_reflection.h"
#include "rpc/grpc_server.h"
#include "rpc/grpc_status.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;
using testing::HasSubstr;

constexpr char kWhere[] = "/cairn.v1.Admin/Where";

class GrpcBridgeTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "grpc_bridge_" + std::to_string(getpid());
    ASSERT_TRUE(EnsureAuthority(directory_ + "/tls", "cairn test").ok());
    tls_ = Certificate("tls", "server");
    dispatcher_.Handle<v1::WhereRequest, v1::WhereResponse>(
        v1::ADMIN_WHERE, [this](const Call<v1::WhereRequest, v1::WhereResponse>& call) {
          where_(call);
        });
    Serve(tls_);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Serve(std::shared_ptr<const TlsContext> tls) {
    auto server = GrpcServer::Start(Options(std::move(tls), 0), dispatcher_);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = std::move(*server);
  }
  static GrpcServerOptions Options(std::shared_ptr<const TlsContext> tls, uint16_t port) {
    return {.listen = {.host = "127.0.0.1", .port = port, .unix_path = ""},
            .tls = std::move(tls),
            .services = {"cairn.v1.Metadata", "cairn.v1.Admin", "cairn.v1.Cluster"}};
  }
  std::shared_ptr<const TlsContext> Certificate(const std::string& authority,
                                                const std::string& name) {
    const std::string folder = directory_ + "/" + authority;
    EXPECT_TRUE(EnsureAuthority(folder, "cairn test").ok());
    auto files = EnsureCertificate(folder, name, name + "-of-" + authority);
    EXPECT_TRUE(files.has_value());
    auto context = TlsContext::Load(*files);
    EXPECT_TRUE(context.has_value()) << context.error().ToString();
    return *context;
  }
  Address ServerAddress() const {
    return {.host = "127.0.0.1", .port = server_->port(), .unix_path = ""};
  }
  Status Where(const v1::WhereRequest& request, v1::WhereResponse& response, Duration time = 5s) {
    return GrpcChannel::Make(ServerAddress(), tls_)
        ->Call(kWhere, request, response, Deadline::After(time));
  }
  Status Where() {
    v1::WhereResponse response;
    return Where(v1::WhereRequest(), response);
  }

  std::string directory_;
  std::shared_ptr<const TlsContext> tls_;
  Dispatcher dispatcher_;
  std::function<void(const Call<v1::WhereRequest, v1::WhereResponse>&)> where_ =
      [](const auto& call) {
        v1::WhereResponse response;
        response.mutable_attributes()->set_inode(call.request().inode() + 1);
        call.Reply(response);
      };
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcBridgeTest, AnswersThroughTls) {
  v1::WhereRequest request;
  request.set_inode(41);
  v1::WhereResponse response;
  ASSERT_TRUE(Where(request, response).ok());
  EXPECT_EQ(response.attributes().inode(), 42u);
}

TEST_F(GrpcBridgeTest, TheHandlerSeesTheCertificateAndTheDeadline) {
  std::string name;
  Duration left{};
  where_ = [&](const auto& call) {
    name = call.peer().name;
    left = call.deadline().Left();
    call.Reply(v1::WhereResponse());
  };
  ASSERT_TRUE(Where().ok());
  EXPECT_EQ(name, "server-of-tls");
  EXPECT_GT(left, 0s);
  EXPECT_LE(left, 5s);
}

TEST_F(GrpcBridgeTest, EveryErrorCodeSurvives) {
  for (uint16_t number = 1; number < 100; ++number) {
    const auto code = static_cast<ErrorCode>(number);
    if (ErrorCodeName(code) == "unknown error") continue;
    where_ = [code](const auto& call) { call.Fail(Status(code, "caf\xc3\xa9 \n broke")); };
    const Status status = Where();
    EXPECT_EQ(status.code(), code) << ErrorCodeName(code);
    EXPECT_EQ(status.message(), "caf\xc3\xa9 \n broke");
    EXPECT_NE(GrpcCode(code), grpc::StatusCode::OK);
  }
}

TEST_F(GrpcBridgeTest, ALongErrorMessageIsCutNotLost) {
  where_ = [](const auto& call) {
    call.Fail(Status(ErrorCode::kNotEmpty, std::string(100'000, 'x')));
  };
  const Status status = Where();
  EXPECT_EQ(status.code(), ErrorCode::kNotEmpty);
  EXPECT_EQ(status.message(), std::string(kMaxGrpcMessageBytes, 'x'));
}

TEST_F(GrpcBridgeTest, RefusesUnknownMethods) {
  auto channel = GrpcChannel::Make(ServerAddress(), tls_);
  v1::WhereResponse response;
  for (const char* method : {"/cairn.v1.Admin/Nothing", "/cairn.v1.Chunk/Read", "/x",
                             "/cairn.v1.Admin/GetStatus"}) {
    EXPECT_EQ(channel->Call(method, v1::WhereRequest(), response, Deadline::After(5s)).code(),
              ErrorCode::kUnimplemented)
        << method;
  }
}

TEST_F(GrpcBridgeTest, ARequestThatDoesNotParseNeverReachesTheHandler) {
  bool reached = false;
  where_ = [&](const auto& call) {
    reached = true;
    call.Reply(v1::WhereResponse());
  };
  v1::GetHealthRequest garbage;
  garbage.GetReflection()->MutableUnknownFields(&garbage)->AddLengthDelimited(1, "\xff\xfe");
  v1::WhereResponse response;
  const Status status = GrpcChannel::Make(ServerAddress(), tls_)
                            ->Call(kWhere, garbage, response, Deadline::After(5s));
  EXPECT_EQ(status.code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(reached);
}

TEST_F(GrpcBridgeTest, RefusesMessagesOverTheLimitInBothDirections) {
  v1::WhereRequest request;
  request.set_path(std::string(size_t{kMaxGrpcMessageSize} + 1, 'p'));
  v1::WhereResponse response;
  EXPECT_EQ(Where(request, response).code(), ErrorCode::kTooLarge);
  where_ = [](const auto& call) {
    v1::WhereResponse big;
    for (int i = 0; i < 5; ++i) {
      big.add_servers()->mutable_frames()->set_host(std::string(1 << 20, 'h'));
    }
    call.Reply(big);
  };
  EXPECT_EQ(Where().code(), ErrorCode::kTooLarge);
}

TEST_F(GrpcBridgeTest, ACallThatIsDroppedIsAnswered) {
  where_ = [](const auto&) {};
  EXPECT_EQ(Where().code(), ErrorCode::kInternal);
}

TEST_F(GrpcBridgeTest, ACallEndsAtItsDeadlineAndALateAnswerIsHarmless) {
  absl::Notification held;
  std::optional<Call<v1::WhereRequest, v1::WhereResponse>> kept;
  where_ = [&](const auto& call) {
    kept.emplace(call);
    held.Notify();
  };
  v1::WhereResponse response;
  EXPECT_EQ(Where(v1::WhereRequest(), response, 500ms).code(), ErrorCode::kDeadlineExceeded);
  ASSERT_TRUE(held.WaitForNotificationWithTimeout(absl::Seconds(10)));
  kept->Reply(response);
  kept->Reply(response);
}

TEST_F(GrpcBridgeTest, StopsWhileAHandlerHoldsACall) {
  absl::Notification held;
  std::optional<Call<v1::WhereRequest, v1::WhereResponse>> kept;
  where_ = [&](const auto& call) {
    kept.emplace(call);
    held.Notify();
  };
  std::thread caller([this] { EXPECT_FALSE(Where().ok()); });
  ASSERT_TRUE(held.WaitForNotificationWithTimeout(absl::Seconds(10)));
  const Deadline deadline = Deadline::After(4s);
  server_->Stop();
  EXPECT_FALSE(deadline.Passed());
  kept->Reply(v1::WhereResponse());
  caller.join();
}

TEST_F(GrpcBridgeTest, RefusesAPeerWithoutACertificate) {
  grpc::SslCredentialsOptions options;
  std::ifstream ca(tls_->files().ca);
  options.pem_root_certs.assign(std::istreambuf_iterator<char>(ca), {});
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("cairn");
  grpc::GenericStub stub(grpc::CreateCustomChannel(ServerAddress().ToString(),
                                                   grpc::SslCredentials(options), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 3s);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Slice empty;
  grpc::Status status;
  auto call = stub.PrepareUnaryCall(&context, kWhere, grpc::ByteBuffer(&empty, 1), &queue);
  call->StartCall();
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_FALSE(status.ok());
}

// A handshake by OpenSSL itself, in one version of TLS and with a good certificate.
bool ShakesHands(uint16_t port, const TlsFiles& files, int version) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_use_certificate_file(context.get(), files.certificate.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> stream(BIO_new_ssl_connect(context.get()),
                                                             BIO_free_all);
  const std::string peer = "127.0.0.1:" + std::to_string(port);
  BIO_set_conn_hostname(stream.get(), peer.c_str());
  return BIO_do_handshake(stream.get()) == 1;
}

TEST_F(GrpcBridgeTest, SpeaksTls13Only) {
  EXPECT_TRUE(ShakesHands(server_->port(), tls_->files(), TLS1_3_VERSION));
  EXPECT_FALSE(ShakesHands(server_->port(), tls_->files(), TLS1_2_VERSION));
}

TEST_F(GrpcBridgeTest, RefusesACertificateOfAnotherAuthority) {
  v1::WhereResponse response;
  const Status status = GrpcChannel::Make(ServerAddress(), Certificate("other", "client"))
                            ->Call(kWhere, v1::WhereRequest(), response, Deadline::After(3s));
  EXPECT_FALSE(status.ok());
}

TEST_F(GrpcBridgeTest, NamesAPortThatIsInUse) {
  auto second = GrpcServer::Start(Options(tls_, server_->port()), dispatcher_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(ServerAddress().ToString()));
}

TEST_F(GrpcBridgeTest, RefusesToServeAServiceItDoesNotKnow) {
  GrpcServerOptions options = Options(tls_, 0);
  options.services.push_back("cairn.v1.No");
  auto server = GrpcServer::Start(options, dispatcher_);
  ASSERT_FALSE(server.has_value());
  EXPECT_THAT(server.error().message(), HasSubstr("cairn.v1.No"));
}

TEST_F(GrpcBridgeTest, NobodyListeningIsUnavailable) {
  const Address address = ServerAddress();
  server_.reset();
  v1::WhereResponse response;
  EXPECT_EQ(GrpcChannel::Make(address, tls_)
                ->Call(kWhere, v1::WhereRequest(), response, Deadline::After(5s))
                .code(),
            ErrorCode::kUnavailable);
}

// HealthCheckResponse of grpc.health.v1 has one field, status = 1 {1 SERVING, 2 NOT_SERVING}. Read
// with another message it stays an unknown field.
uint64_t ServingStatus(GrpcChannel& channel) {
  v1::GetHealthRequest request;
  v1::GetHealthResponse response;
  const Status status = channel.Call("/grpc.health.v1.Health/Check", request, response,
                                     Deadline::After(5s));
  EXPECT_TRUE(status.ok()) << status.ToString();
  const auto& fields = response.GetReflection()->GetUnknownFields(response);
  return fields.field_count() == 1 ? fields.field(0).varint() : 0;
}

TEST_F(GrpcBridgeTest, HealthSaysWhatItIsTold) {
  auto channel = GrpcChannel::Make(ServerAddress(), tls_);
  EXPECT_EQ(ServingStatus(*channel), 2u);
  server_->SetServing(true);
  EXPECT_EQ(ServingStatus(*channel), 1u);
  server_->SetServing(false);
  EXPECT_EQ(ServingStatus(*channel), 2u);
}

TEST_F(GrpcBridgeTest, ReflectionListsOurServices) {
  ServerReflectionRequest request;
  request.set_list_services("");
  ServerReflectionResponse response;
  ASSERT_TRUE(GrpcChannel::Make(ServerAddress(), tls_)
                  ->Call(kReflectionMethod, request, response, Deadline::After(5s))
                  .ok());
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, testing::IsSupersetOf(
                         {"cairn.v1.Metadata", "cairn.v1.Admin", "cairn.v1.Cluster"}));
}

TEST_F(GrpcBridgeTest, ReflectionGivesFilesWithTheirImports) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("cairn.v1.Admin.GetStatus");
  ServerReflectionResponse response = Reflect(request, {});
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre(
                         "cairn/v1/admin.proto", "cairn/v1/common.proto",
                         "cairn/v1/methods.proto", "cairn/v1/records.proto",
                         "google/protobuf/descriptor.proto"));
  request.set_file_by_filename("no/such.proto");
  EXPECT_EQ(Reflect(request, {}).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace cairn

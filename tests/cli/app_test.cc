#include "cli/app.h"

#include <gmock/gmock.h>

#include <sstream>

#include "cairn/v1/admin.pb.h"
#include "cli/certificates.h"
#include "rpc/grpc_server.h"
#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// `cairn` against a metaserver that answers what the test says.
class AppTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(EnsureAuthority(tls_, "Cairn test").ok());
    const auto server_files = EnsureCertificate(tls_, "meta1", "metaserver-meta1");
    ASSERT_TRUE(server_files.has_value());
    ASSERT_TRUE(EnsureCertificate(tls_, "admin", "admin-test").has_value());
    Answer<v1::GetStatusRequest>(v1::ADMIN_GET_STATUS, status_);
    Answer<v1::GetHealthRequest>(v1::ADMIN_GET_HEALTH, health_);
    Answer<v1::SetPoolRequest>(v1::ADMIN_SET_POOL, pool_);
    GrpcServerOptions options;
    options.listen.host = "127.0.0.1";
    options.tls = *TlsContext::Load(*server_files);
    options.services = {"cairn.v1.Admin"};
    auto server = GrpcServer::Start(options, dispatcher_);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = std::move(*server);
    address_ = "127.0.0.1:" + std::to_string(server_->port());
  }

  template <typename Request, typename Response>
  void Answer(v1::Method method, const Result<Response>& answer) {
    dispatcher_.Handle<Request, Response>(method,
                                          [&answer](const auto& call) { call.Finish(answer); });
  }
  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return static_cast<int>(RunCairn(std::move(arguments), Console{out_, err_, false}));
  }
  int Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--cluster", address_, "--tls-dir", tls_});
    return Run(std::move(arguments));
  }

  ScratchDirectory scratch_;
  const std::string tls_ = scratch_.path() + "/tls";
  Dispatcher dispatcher_;
  Result<v1::GetStatusResponse> status_;
  Result<v1::GetHealthResponse> health_;
  Result<v1::SetPoolResponse> pool_;
  std::unique_ptr<GrpcServer> server_;
  std::string address_;
  std::ostringstream out_, err_;
};

TEST_F(AppTest, WrongUsageExitsWithTwoAndOneLine) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"fly"},
                                             {"dev"},
                                             {"dev", "kill", "chunk"},
                                             {"dev", "kill", "chunk", "x"},
                                             {"dev", "kill", "chunk", "0"},
                                             {"dev", "kill", "chunk", "99999999999999999999"},
                                             {"dev", "add"},
                                             {"meta"},
                                             {"meta", "add"},
                                             {"meta", "add", "unix:/run/x"},
                                             {"meta", "remove", "x"},
                                             {"meta", "transfer-leader", "0"},
                                             {"dev", "up", "--chunk", "many"},
                                             {"pool", "set"},
                                             {"status", "--fast"},
                                             {"mount"},
                                             {"mount", "a", "b", "c"}}) {
    EXPECT_EQ(Run(arguments), 2);
    EXPECT_THAT(err_.str(), StartsWith("cairn: "));
    EXPECT_EQ(out_.str(), "");
  }
}

TEST_F(AppTest, HelpAndVersionExitWithZero) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("health"));
  EXPECT_EQ(Run({"dev", "up", "--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("--copies"));
  EXPECT_EQ(Run({"version", "--json"}), 0);
  EXPECT_THAT(out_.str(), StartsWith("{\"version\":\""));
}

TEST_F(AppTest, AnEvenNumberOfMetaserversIsRefusedBeforeAnythingIsMade) {
  const std::string directory = scratch_.path() + "/dev";
  EXPECT_EQ(Run({"dev", "up", "--dir", directory, "--meta", "2"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("--meta 2"));
  EXPECT_FALSE(std::filesystem::exists(directory + "/cluster.toml"));
}

TEST_F(AppTest, AbsentThingsExitWithThree) {
  EXPECT_EQ(Run({"dev", "down", "--dir", scratch_.path()}), 3);
  EXPECT_EQ(Run({"umount", scratch_.path()}), 3);
  EXPECT_EQ(Run({"where", scratch_.path() + "/absent"}), 3);
}

TEST_F(AppTest, WipingWhatIsNoClusterRemovesNothing) {
  const std::string file = scratch_.Write("thesis.tex", "precious");
  EXPECT_EQ(Run({"dev", "down", "--wipe", "--dir", scratch_.path()}), 3);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(Run({"dev", "up", "--dir", scratch_.path()}), 6);
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(AppTest, AFileOutsideAnyMountIsAUsageError) {
  EXPECT_EQ(Run({"where", scratch_.Write("file", "x")}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("not on a Cairn mount"));
}

TEST_F(AppTest, NoAnswerExitsWithFiveWithinTwoSecondsAndNamesTheServer) {
  server_.reset();
  const Deadline deadline = Deadline::After(std::chrono::milliseconds(2900));
  EXPECT_EQ(Ask({"status"}), 5);
  EXPECT_FALSE(deadline.Passed());
  EXPECT_THAT(err_.str(), HasSubstr(address_));
}

TEST_F(AppTest, TheNextMetaserverIsAskedWhenOneIsDown) {
  EXPECT_EQ(Run({"health", "--cluster", "127.0.0.1:1," + address_, "--tls-dir", tls_}), 0);
}

TEST_F(AppTest, StatusTellsServersInWordsAndInJson) {
  status_->set_cluster_id("c0ffee");
  auto* server = status_->add_chunkservers();
  server->set_server(7);
  server->set_host("stone");
  server->set_up(true);
  server->set_total_bytes(uint64_t{2} << 30);
  server->set_available_bytes(uint64_t{1} << 30);
  EXPECT_EQ(Ask({"status"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("c0ffee"));
  EXPECT_THAT(out_.str(), HasSubstr("stone"));
  EXPECT_THAT(out_.str(), HasSubstr("1.0 GiB"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_EQ(Ask({"status", "--json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"reduced_groups\":0"));
  EXPECT_THAT(out_.str(), HasSubstr("\"total_bytes\":\"2147483648\""));
}

TEST_F(AppTest, HealthIsExactlyAnArray) {
  EXPECT_EQ(Ask({"health", "--json"}), 0);
  EXPECT_EQ(out_.str(), "[]\n");
  auto* item = health_->add_items();
  item->set_code("LAST_COPY");
  item->set_severity("warning");
  EXPECT_EQ(Ask({"health", "--json"}), 0);
  EXPECT_EQ(out_.str(),
            "[{\"code\":\"LAST_COPY\",\"severity\":\"warning\",\"subject\":\"\",\"text\":\"\"}]\n");
}

TEST_F(AppTest, HealthCheckExitsAsNagiosExpects) {
  EXPECT_EQ(Ask({"health", "--check"}), 0);
  health_->add_items()->set_severity("warning");
  EXPECT_EQ(Ask({"health", "--check"}), 1);
  health_->add_items()->set_severity("error");
  EXPECT_EQ(Ask({"health", "--check"}), 2);
  EXPECT_EQ(Ask({"health"}), 0);
  server_.reset();
  EXPECT_EQ(Ask({"health", "--check"}), 2);
}

TEST_F(AppTest, AServersRefusalBecomesTheExitCode) {
  pool_ = Fail(ErrorCode::kBelowMinActive, "too few copies would be left");
  EXPECT_EQ(Ask({"pool", "set", "--min-active", "1"}), 6);
  EXPECT_EQ(err_.str(), "cairn: too few copies would be left\n");
}

}  // namespace
}  // namespace cairn

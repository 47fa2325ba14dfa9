#include "metaserver/service/check_chunks.h"

#include <thread>

#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

// A server that answers when the test says so.
class SlowInspector final : public ChunkInspector {
 public:
  void List(const v1::ServerRecord&, const v1::ListStoredRequest&, Deadline,
            std::function<void(Result<v1::ListStoredResponse>)> done) override {
    {
      absl::MutexLock lock(&mu_);
      ++asked_;
      mu_.Await(absl::Condition(&open_));
    }
    v1::ListStoredResponse response;
    response.set_end(true);
    done(response);
  }
  void SetAside(const v1::ServerRecord&, const v1::SetAsideRequest&, Deadline,
                std::function<void(Result<v1::SetAsideResponse>)>) override {}
  void Open() {
    absl::MutexLock lock(&mu_);
    open_ = true;
  }
  void AwaitAsked() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](int* asked) { return *asked > 0; }, &asked_));
  }

 private:
  absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  int asked_ ABSL_GUARDED_BY(mu_) = 0;
};

// A call that can be waited for.
class WaitingCall final : public ServerCall {
 public:
  explicit WaitingCall(std::string body = "") : body_(std::move(body)) {}
  std::string_view body() const override { return body_; }
  const Payload& payload() const override { return payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return Deadline::After(std::chrono::seconds(20)); }
  void Reply(const google::protobuf::MessageLite&, Payload) override { End(OkStatus()); }
  void Fail(const Status& status) override { End(status); }

  ErrorCode Await() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](std::optional<Status>* status) { return status->has_value(); }, &status_));
    return status_->code();
  }

 private:
  void End(Status status) {
    absl::MutexLock lock(&mu_);
    status_ = std::move(status);
  }
  const std::string body_;
  const Payload payload_;
  const PeerIdentity peer_;
  absl::Mutex mu_;
  std::optional<Status> status_ ABSL_GUARDED_BY(mu_);
};

class CheckChunksServiceTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(1, 1);
    check_ = std::make_unique<ChunkCheck>(state_, *maps_, *registry_, inspector_);
    service_ = std::make_unique<CheckChunksService>(*check_);
    service_->Register(dispatcher_);
    service_->Start();
  }
  std::shared_ptr<WaitingCall> Ask() {
    auto call = std::make_shared<WaitingCall>();
    dispatcher_.Dispatch(v1::ADMIN_CHECK_CHUNKS, call);
    return call;
  }
  SlowInspector inspector_;
  std::unique_ptr<ChunkCheck> check_;
  std::unique_ptr<CheckChunksService> service_;
  Dispatcher dispatcher_;
};

TEST_F(CheckChunksServiceTest, TheCarriersThreadDoesNotWaitForChunkservers) {
  const auto call = Ask();  // returns although nobody has answered
  inspector_.AwaitAsked();
  inspector_.Open();
  EXPECT_EQ(call->Await(), ErrorCode::kOk);
}

TEST_F(CheckChunksServiceTest, BeyondAFewCallersMoreAreTurnedAway) {
  std::vector<std::shared_ptr<WaitingCall>> calls = {Ask()};
  inspector_.AwaitAsked();  // that one is under way
  for (int i = 0; i < 8; ++i) calls.push_back(Ask());
  EXPECT_EQ(Ask()->Await(), ErrorCode::kBusy);
  inspector_.Open();
  for (const auto& call : calls) EXPECT_EQ(call->Await(), ErrorCode::kOk);
}

TEST_F(CheckChunksServiceTest, WhoeverWaitsWhenItStopsIsTold) {
  const auto under_way = Ask();
  inspector_.AwaitAsked();
  const auto waiting = Ask();
  std::thread stops([&] { service_->Stop(); });
  EXPECT_EQ(waiting->Await(), ErrorCode::kUnavailable);
  inspector_.Open();
  EXPECT_EQ(under_way->Await(), ErrorCode::kOk);
  stops.join();
  EXPECT_EQ(Ask()->Await(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace cairn

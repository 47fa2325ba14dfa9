#include "rpc/dispatcher.h"

#include <gtest/gtest.h>

#include <optional>

#include "cairn/v1/common.pb.h"

namespace cairn {
namespace {

// What became of a call, told to the test, which outlives it.
struct Outcome {
  int answers = 0;
  std::optional<Status> failure;
};

class FakeCall final : public ServerCall {
 public:
  FakeCall(std::string body, Outcome& outcome) : body_(std::move(body)), outcome_(outcome) {}
  std::string_view body() const override { return body_; }
  const Payload& payload() const override { return payload_; }
  const PeerIdentity& peer() const override { return peer_; }
  Deadline deadline() const override { return deadline_; }
  void Reply(const google::protobuf::MessageLite&, Payload) override { ++outcome_.answers; }
  void Fail(const Status& status) override {
    ++outcome_.answers;
    outcome_.failure = status;
  }

 private:
  std::string body_;
  Outcome& outcome_;
  Payload payload_;
  PeerIdentity peer_;
  Deadline deadline_ = Deadline::After(std::chrono::seconds(1));
};

using EchoCall = Call<v1::StatusDetail, v1::StatusDetail>;

TEST(DispatcherTest, EachMethodReachesItsOwnHandler) {
  Dispatcher dispatcher;
  int handled = 0;
  dispatcher.Handle<v1::StatusDetail, v1::StatusDetail>(v1::CHUNK_READ, [&](const EchoCall& call) {
    handled = static_cast<int>(call.request().code());
    call.Finish(v1::StatusDetail());
  });
  v1::StatusDetail request;
  request.set_code(5);
  Outcome outcome;
  dispatcher.Dispatch(v1::CHUNK_READ,
                      std::make_shared<FakeCall>(request.SerializeAsString(), outcome));
  EXPECT_EQ(handled, 5);
  EXPECT_EQ(outcome.answers, 1);
  EXPECT_FALSE(outcome.failure.has_value());
}

TEST(DispatcherTest, AMethodNobodyHandlesIsUnimplemented) {
  Outcome outcome;
  Dispatcher().Dispatch(v1::CHUNK_SYNC, std::make_shared<FakeCall>("", outcome));
  ASSERT_TRUE(outcome.failure.has_value());
  EXPECT_EQ(outcome.failure->code(), ErrorCode::kUnimplemented);
}

TEST(DispatcherTest, ABodyThatDoesNotParseIsRefusedBeforeTheHandler) {
  Dispatcher dispatcher;
  dispatcher.Handle<v1::StatusDetail, v1::StatusDetail>(
      v1::CHUNK_READ, [](const EchoCall&) { FAIL() << "handled"; });
  Outcome outcome;
  dispatcher.Dispatch(v1::CHUNK_READ, std::make_shared<FakeCall>("\xff\xff", outcome));
  ASSERT_TRUE(outcome.failure.has_value());
  EXPECT_EQ(outcome.failure->code(), ErrorCode::kInvalidArgument);
}

TEST(DispatcherTest, FinishTellsTheErrorOfAResult) {
  Dispatcher dispatcher;
  dispatcher.Handle<v1::StatusDetail, v1::StatusDetail>(v1::CHUNK_READ, [](const EchoCall& call) {
    call.Finish(Fail(ErrorCode::kStaleEpoch, "epoch 3, now 4"));
  });
  Outcome outcome;
  dispatcher.Dispatch(v1::CHUNK_READ, std::make_shared<FakeCall>("", outcome));
  ASSERT_TRUE(outcome.failure.has_value());
  EXPECT_EQ(outcome.failure->code(), ErrorCode::kStaleEpoch);
}

TEST(DispatcherDeathTest, TwoHandlersForOneMethodAreABug) {
  Dispatcher dispatcher;
  dispatcher.HandleRaw(v1::CHUNK_READ, [](std::shared_ptr<ServerCall>) {});
  EXPECT_DEATH(dispatcher.HandleRaw(v1::CHUNK_READ, [](std::shared_ptr<ServerCall>) {}), "");
}

}  // namespace
}  // namespace cairn

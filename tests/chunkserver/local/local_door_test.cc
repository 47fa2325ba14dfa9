#include "chunkserver/local/local_door.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>

#include "rpc/dial.h"
#include "tests/chunkserver/local/local_stack.h"

namespace cairn {
namespace {

// Somebody who sends packets as he likes.
class RawCaller {
 public:
  explicit RawCaller(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    EXPECT_EQ(connect(socket_.get(), address, sizeof(name)), 0);
  }
  Status Send(const std::string& bytes, std::span<const int> descriptors = {}) {
    return SendPacket(socket_.get(), bytes, descriptors);
  }
  Result<Packet> Receive() {
    (void)PollUntil(socket_.get(), POLLIN, Deadline::After(std::chrono::seconds(10)));
    return ReceivePacket(socket_.get(), kMaxLocalAnswerBytes);
  }
  ErrorCode AnswerTo(const v1::OpenChunkRequest& request) {
    EXPECT_THAT(Send(request.SerializeAsString()), IsOk());
    const Result<Packet> packet = Receive();
    if (!packet.has_value()) return ErrorCode::kCancelled;  // closed
    v1::OpenChunkResponse answer;
    EXPECT_TRUE(answer.ParseFromString(packet->bytes));
    passed_ = packet->descriptors.size();
    return static_cast<ErrorCode>(answer.code());
  }
  bool IsClosed() {
    (void)PollUntil(socket_.get(), POLLIN, Deadline::After(std::chrono::seconds(10)));
    return IsClosedNow();
  }
  bool IsClosedNow() {
    const Result<Packet> packet = ReceivePacket(socket_.get(), kMaxLocalAnswerBytes);
    return !packet.has_value() && packet.error().code() == ErrorCode::kUnavailable;
  }
  size_t passed() const { return passed_; }

 private:
  Descriptor socket_;
  size_t passed_ = 0;
};

class LocalDoorTest : public ::testing::Test, protected LocalStack {
 protected:
  void SetUp() override {
    Serve();
    ASSERT_EQ(Write(0, Block('a')), ErrorCode::kOk);
  }
  v1::OpenChunkRequest Request() const {
    v1::OpenChunkRequest request;
    request.set_wanted_server(kA.value);
    *request.mutable_chunk() = cluster_.Address(kChunk);
    return request;
  }
  const std::string path_ = LocalSocketPath(socket());
};

TEST_F(LocalDoorTest, TheFirstAnswerBringsThePageToo) {
  RawCaller caller(path_);
  EXPECT_EQ(caller.AnswerTo(Request()), ErrorCode::kOk);
  EXPECT_EQ(caller.passed(), 2u);
  EXPECT_EQ(caller.AnswerTo(Request()), ErrorCode::kOk);
  EXPECT_EQ(caller.passed(), 1u);
}

TEST_F(LocalDoorTest, ARefusalGivesNothingAndTheConnectionStays) {
  RawCaller caller(path_);
  v1::OpenChunkRequest request = Request();
  request.mutable_chunk()->set_epoch(1000);
  EXPECT_EQ(caller.AnswerTo(request), ErrorCode::kStaleEpoch);
  EXPECT_EQ(caller.passed(), 0u);
  request.set_wanted_server(55);
  EXPECT_EQ(caller.AnswerTo(request), ErrorCode::kUnavailable);
  EXPECT_EQ(caller.AnswerTo(Request()), ErrorCode::kOk);
}

TEST_F(LocalDoorTest, GarbageEndsTheConnectionOnly) {
  RawCaller caller(path_);
  RawCaller other(path_);
  ASSERT_THAT(caller.Send("\xff\xff\xff"), IsOk());
  EXPECT_TRUE(caller.IsClosed());
  EXPECT_EQ(other.AnswerTo(Request()), ErrorCode::kOk);
}

TEST_F(LocalDoorTest, APacketOverTheLimitEndsTheConnection) {
  RawCaller caller(path_);
  v1::OpenChunkRequest request = Request();
  request.mutable_chunk()->set_token(std::string(kMaxLocalRequestBytes, 't'));
  ASSERT_THAT(caller.Send(request.SerializeAsString()), IsOk());
  EXPECT_TRUE(caller.IsClosed());
}

TEST_F(LocalDoorTest, NobodyPassesADescriptorIn) {
  RawCaller caller(path_);
  const int descriptor = 0;
  ASSERT_THAT(caller.Send(Request().SerializeAsString(), std::span(&descriptor, 1)), IsOk());
  EXPECT_TRUE(caller.IsClosed());
}

TEST_F(LocalDoorTest, AConnectionIsOfOneSessionAndOneDisk) {
  v1::OpenChunkRequest request = Request();
  RawCaller one(path_);
  ASSERT_EQ(one.AnswerTo(request), ErrorCode::kOk);
  request.mutable_chunk()->set_session(1234);
  ASSERT_THAT(one.Send(request.SerializeAsString()), IsOk());
  EXPECT_TRUE(one.IsClosed());
  RawCaller two(path_);
  ASSERT_EQ(two.AnswerTo(Request()), ErrorCode::kOk);
  request = Request();
  request.set_wanted_server(55);
  ASSERT_THAT(two.Send(request.SerializeAsString()), IsOk());
  EXPECT_TRUE(two.IsClosed());
}

TEST_F(LocalDoorTest, TooManyConnectionsCostTheNewest) {
  std::vector<std::unique_ptr<RawCaller>> callers;
  for (size_t i = 0; i < LocalDoor::kMostConnections; ++i) {
    callers.push_back(std::make_unique<RawCaller>(path_));
  }
  RawCaller late(path_);
  EXPECT_TRUE(late.IsClosed());
  EXPECT_EQ(callers.front()->AnswerTo(Request()), ErrorCode::kOk);
}

TEST_F(LocalDoorTest, WhoDoesNotTakeHisAnswersIsLeftAlone) {
  RawCaller deaf(path_);
  Status sent;
  for (int i = 0; i < 100000 && sent.ok(); ++i) {
    do {
      sent = deaf.Send(Request().SerializeAsString());
    } while (sent.code() == ErrorCode::kBusy);
  }
  EXPECT_EQ(sent.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(RawCaller(path_).AnswerTo(Request()), ErrorCode::kOk);
}

TEST(RuleL1, AFencePassesOnlyWhenItsSessionHasNoConnectionLeft) {
  LocalStack stack;
  stack.Serve();
  ASSERT_EQ(stack.Write(0, Block('a')), ErrorCode::kOk);
  const std::string path = LocalSocketPath(stack.socket());
  RawCaller fenced(path);
  RawCaller other(path);
  v1::OpenChunkRequest request;
  request.set_wanted_server(kA.value);
  *request.mutable_chunk() = stack.cluster_.Address(kChunk);
  ASSERT_EQ(fenced.AnswerTo(request), ErrorCode::kOk);
  request.mutable_chunk()->set_session(1234);
  ASSERT_EQ(other.AnswerTo(request), ErrorCode::kOk);
  FenceList& fences = stack.cluster_.replica(kA).context().fences;
  v1::HeartbeatResponse answer;
  answer.set_last_fence(1);
  v1::Fence& fence = *answer.add_fences();
  fence.set_sequence(1);
  fence.set_session(stack.cluster_.Address(kChunk).session());
  ASSERT_TRUE(fences.Take(answer));
  EXPECT_TRUE(Eventually([&] { return fences.Finished() == 1; }));
  EXPECT_TRUE(fenced.IsClosedNow());
  EXPECT_EQ(other.AnswerTo(request), ErrorCode::kOk);
}

TEST_F(LocalDoorTest, ItsEndClosesAllConnectionsAndRemovesTheSocket) {
  RawCaller caller(path_);
  ASSERT_EQ(caller.AnswerTo(Request()), ErrorCode::kOk);
  door_.reset();
  EXPECT_TRUE(caller.IsClosed());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace cairn

#include "client/local_door.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "rpc/local_page_layout.h"
#include "rpc/packet.h"
#include "tests/common/temporary_directory.h"

namespace cairn::client {
namespace {

constexpr ServerId kServer{3};

// The other side says what no server of ours would: its answer lies ready before it is asked.
class LocalDoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_ = Descriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path, LocalSocketPath(path_).c_str());
    ASSERT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    ASSERT_EQ(listen(listener_.get(), 1), 0);
    auto door = LocalDoor::Connect(path_, kServer);
    ASSERT_TRUE(door.has_value()) << door.error().ToString();
    door_ = *door;
    peer_ = Descriptor(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(peer_.is_open());
  }
  ErrorCode AskAfter(std::string_view bytes, const std::vector<int>& descriptors = {}) {
    EXPECT_TRUE(SendPacket(peer_.get(), bytes, descriptors).ok());
    return Ask();
  }
  ErrorCode Ask() {
    const auto opened = door_->Ask({});
    return opened.has_value() ? ErrorCode::kOk : opened.error().code();
  }
  static std::string Answer(ErrorCode code) {
    v1::OpenChunkResponse answer;
    answer.set_code(static_cast<uint32_t>(code));
    answer.set_message("because");
    return answer.SerializeAsString();
  }
  static Descriptor Memory(uint64_t bytes) {
    Descriptor memory(memfd_create("page", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(memory.get(), static_cast<off_t>(bytes)), 0);
    return memory;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/s";
  const std::string granted_ = Answer(ErrorCode::kOk);
  Descriptor listener_;
  Descriptor peer_;
  LocalDoorPtr door_;
};

TEST_F(LocalDoorTest, WhereNobodyListensThereIsNoDoor) {
  EXPECT_EQ(LocalDoor::Connect(directory_.path() + "/other", kServer).error().code(),
            ErrorCode::kUnavailable);
  const std::string endless(200, 'x');
  EXPECT_EQ(LocalDoor::Connect(endless, kServer).error().code(), ErrorCode::kUnavailable);
}

TEST_F(LocalDoorTest, AServerThatHangsIsWaitedForNoLongerThanPatienceLasts) {
  const BootTime begun = SystemClock().Now();
  EXPECT_EQ(Ask(), ErrorCode::kDeadlineExceeded);
  EXPECT_GE(SystemClock().Now() - begun, LocalDoor::kPatience);
  EXPECT_TRUE(door_->IsOpen());
}

TEST_F(LocalDoorTest, AServerThatGoesEndsIt) {
  peer_ = Descriptor();
  EXPECT_EQ(Ask(), ErrorCode::kUnavailable);
  EXPECT_FALSE(door_->IsOpen());
}

TEST_F(LocalDoorTest, AnAnswerThatDoesNotParseIsNotBelieved) {
  EXPECT_EQ(AskAfter("\xff\xff\xff"), ErrorCode::kCorruption);
}

TEST_F(LocalDoorTest, ARefusalIsOfTheChunkWhateverItIsCalled) {
  EXPECT_EQ(AskAfter(Answer(ErrorCode::kStaleEpoch)), ErrorCode::kStaleEpoch);
  EXPECT_EQ(AskAfter(Answer(ErrorCode::kUnavailable)), ErrorCode::kBusy);
  EXPECT_EQ(AskAfter(Answer(ErrorCode::kCorruption)), ErrorCode::kBusy);
}

TEST_F(LocalDoorTest, AGrantWithoutItsDescriptorsIsNone) {
  const Descriptor file = Memory(4096);
  EXPECT_EQ(AskAfter(granted_), ErrorCode::kCorruption);
  EXPECT_EQ(AskAfter(granted_, {file.get()}), ErrorCode::kCorruption);
  EXPECT_EQ(door_->page(), nullptr);
}

// What is mapped must not end below what is read.
TEST_F(LocalDoorTest, AnythingElseThanAPageIsNotTakenForOne) {
  const Descriptor file = Memory(4096);
  const Descriptor small = Memory(sizeof(LocalPageLayout) - 1);
  EXPECT_EQ(AskAfter(granted_, {file.get(), small.get()}), ErrorCode::kCorruption);
  const Descriptor empty = Memory(sizeof(LocalPageLayout));
  EXPECT_EQ(AskAfter(granted_, {file.get(), empty.get()}), ErrorCode::kCorruption);
  EXPECT_EQ(AskAfter(granted_, {file.get(), peer_.get()}), ErrorCode::kCorruption);
  EXPECT_EQ(door_->page(), nullptr);
}

}  // namespace
}  // namespace cairn::client

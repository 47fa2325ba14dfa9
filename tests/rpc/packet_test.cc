#include "rpc/packet.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

class PacketTest : public ::testing::Test {
 protected:
  PacketTest() {
    std::array<int, 2> ends = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    here_ = Descriptor(ends[0]);
    there_ = Descriptor(ends[1]);
  }
  Descriptor here_;
  Descriptor there_;
};

TEST_F(PacketTest, BringsBytesAndDescriptorsThatCloseOnExec) {
  const int passed = open("/dev/null", O_RDONLY);
  ASSERT_THAT(SendPacket(here_.get(), "hello", std::span(&passed, 1)), IsOk());
  close(passed);
  auto packet = ReceivePacket(there_.get(), 100);
  ASSERT_THAT(packet, IsOk());
  EXPECT_EQ(packet->bytes, "hello");
  ASSERT_EQ(packet->descriptors.size(), 1u);
  EXPECT_EQ(fcntl(packet->descriptors[0].get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(PacketTest, NothingThereIsNotTheEnd) {
  EXPECT_THAT(ReceivePacket(there_.get(), 100), StatusIs(ErrorCode::kBusy));
  here_ = Descriptor();
  EXPECT_THAT(ReceivePacket(there_.get(), 100), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(SendPacket(there_.get(), "x", {}), StatusIs(ErrorCode::kUnavailable));
}

TEST_F(PacketTest, MoreThanTheLimitIsRefused) {
  ASSERT_THAT(SendPacket(here_.get(), std::string(101, 'x'), {}), IsOk());
  EXPECT_THAT(ReceivePacket(there_.get(), 100), StatusIs(ErrorCode::kTooLarge));
}

TEST_F(PacketTest, APeerThatTakesNothingIsNotWaitedFor) {
  Status sent;
  for (int i = 0; i < 100000 && sent.ok(); ++i) {
    sent = SendPacket(here_.get(), std::string(1000, 'x'), {});
  }
  EXPECT_THAT(sent, StatusIs(ErrorCode::kBusy));
}

}  // namespace
}  // namespace cairn

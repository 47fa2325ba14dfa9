#include "rpc/dial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "rpc/listener.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(DialTest, NumericAddressesNeedNoNameServer) {
  EXPECT_TRUE(Resolve("127.0.0.1", 1, Deadline::After(0s)).has_value());
  EXPECT_TRUE(Resolve("::1", 1, Deadline::After(0s)).has_value());
}

TEST(DialTest, ANameThatDoesNotExistIsNamed) {
  auto found = Resolve("no-such-host.invalid", 1, Deadline::After(2s));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(found.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST(DialTest, ARefusedConnectionNamesAddressAndCause) {
  uint16_t port = 0;
  auto listening = ListenTcp("127.0.0.1", port);
  ASSERT_TRUE(listening.has_value());
  close(listening->front());
  Address address{"127.0.0.1", port, ""};
  auto stream = Dial(address, nullptr, nullptr, Deadline::After(5s));
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(stream.error().message(), HasSubstr(address.ToString()));
  EXPECT_THAT(stream.error().message(), HasSubstr("refused"));
}

TEST(DialTest, TheNextAddressIsTriedWhenOneRefuses) {
  uint16_t port = 0;
  auto listening = ListenTcp("127.0.0.2", port);
  ASSERT_TRUE(listening.has_value());
  auto both = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"127.0.0.1", "127.0.0.2"};
  };
  EXPECT_TRUE(
      Dial(Address{"name", port, ""}, nullptr, both, Deadline::After(5s)).has_value());
  close(listening->front());
}

TEST(DialTest, PollUntilEndsAtTheDeadline) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(PollUntil(ends[0], POLLIN, Deadline::After(10ms)), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_EQ(PollUntil(ends[0], POLLIN, Deadline::After(10s)), POLLIN);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace cairn

#include "rpc/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cairn/v1/admin.pb.h"
#include "rpc/hello.h"

namespace cairn {
namespace {

TEST(ConnectionTest, AGoodbyeIsHeardEvenIfTheRequestCannotBeSentAnyMore) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
  auto connection = std::make_shared<Connection>(
      Stream::Plain(ends[0]),
      Connection::Options{.peer = "peer", .hello = {}, .poller = Poller::Start("test"),
                          .faults = nullptr});
  ASSERT_TRUE(connection->Start().ok());
  FrameHeader header;
  header.kind = FrameKind::kGoodbye;
  const Status why(ErrorCode::kWrongCluster, "this is cluster b");
  const std::string goodbye = MakeFrame(header, MakeDetail(why), {})->head;
  ASSERT_EQ(write(ends[1], goodbye.data(), goodbye.size()), static_cast<ssize_t>(goodbye.size()));
  close(ends[1]);
  const auto reply = connection->Call(v1::ADMIN_GET_STATUS, v1::GetStatusRequest(), {},
                                      Deadline::After(std::chrono::seconds(5)));
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code(), ErrorCode::kWrongCluster) << reply.error().ToString();
}

}  // namespace
}  // namespace cairn

#include "rpc/channel_pool.h"

#include "tests/rpc/rpc_fixture.h"

namespace cairn {
namespace {

class ChannelPoolTest : public RpcFixture {};

TEST_F(ChannelPoolTest, OneAddressHasOneChannel) {
  StartServer();
  ChannelPool pool(NewChannelOptions());
  auto first = pool.Get(ServerAddress());
  EXPECT_EQ(pool.Get(ServerAddress()), first);
  EXPECT_NE(pool.Get(Address{"127.0.0.1", 1, ""}), first);
  EXPECT_EQ(Ask(*first, kEcho, "x"), "x");
}

TEST_F(ChannelPoolTest, TwoServersBehindOneAddressHaveTwoChannels) {
  StartServer();
  ChannelPool pool(NewChannelOptions());
  auto whoever = pool.Get(ServerAddress());
  auto seven = pool.Get(ServerAddress(), ServerId(7));
  auto eight = pool.Get(ServerAddress(), ServerId(8));
  EXPECT_NE(seven, whoever);
  EXPECT_NE(seven, eight);
  EXPECT_EQ(pool.Get(ServerAddress(), ServerId(7)), seven);
  EXPECT_EQ(Ask(*whoever, kEcho, "x"), "x");
  EXPECT_EQ(Ask(*seven, kEcho, "x"), "x");
  EXPECT_EQ(Ask(*eight, kEcho, "x").error().code(), ErrorCode::kUnavailable);
}

TEST_F(ChannelPoolTest, ChannelsEndWithThePool) {
  StartServer();
  std::shared_ptr<Channel> channel;
  {
    ChannelPool pool(NewChannelOptions());
    channel = pool.Get(ServerAddress());
    EXPECT_EQ(Ask(*channel, kEcho, "x"), "x");
  }
  EXPECT_EQ(Ask(*channel, kEcho, "x").error().code(), ErrorCode::kCancelled);
}

TEST_F(ChannelPoolTest, ANewHelloIsForNewChannels) {
  StartServer();
  ChannelPool pool(NewChannelOptions());
  auto before = pool.Get(ServerAddress());
  v1::Hello hello;
  hello.set_cluster_id("cluster-b");
  pool.SetHello(hello);
  EXPECT_EQ(Ask(*before, kEcho, "x"), "x");
  // The same server by another name, for the pool has a channel to this one already.
  auto after = pool.Get(Address{"127.1", ServerAddress().port, ""});
  EXPECT_EQ(Ask(*after, kEcho, "x").error().code(), ErrorCode::kWrongCluster);
}

}  // namespace
}  // namespace cairn

#include "rpc/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

v1::Hello Versions(uint32_t least, uint32_t most) {
  v1::Hello hello;
  hello.set_min_version(least);
  hello.set_max_version(most);
  return hello;
}

TEST(HelloTest, VersionRangesMustMeet) {
  EXPECT_TRUE(CheckHello(Versions(1, 2), Versions(2, 3)).ok());
  EXPECT_TRUE(CheckHello(Versions(2, 3), Versions(1, 2)).ok());
  EXPECT_EQ(CheckHello(Versions(1, 1), Versions(2, 3)).code(), ErrorCode::kUnimplemented);
  EXPECT_EQ(CheckHello(Versions(2, 3), Versions(1, 1)).code(), ErrorCode::kUnimplemented);
  EXPECT_EQ(CheckHello(Versions(1, 1), v1::Hello()).code(), ErrorCode::kUnimplemented);
}

TEST(HelloTest, AClusterThatIsNotKnownYetMatchesAny) {
  v1::Hello unknown = WithVersions({});
  v1::Hello known = unknown;
  known.set_cluster_id("a");
  v1::Hello other = unknown;
  other.set_cluster_id("b");
  EXPECT_TRUE(CheckHello(unknown, known).ok());
  EXPECT_TRUE(CheckHello(known, unknown).ok());
  EXPECT_TRUE(CheckHello(known, known).ok());
  EXPECT_EQ(CheckHello(known, other).code(), ErrorCode::kWrongCluster);
}

// A port may be another process's by now, and two disks share one.
TEST(HelloTest, WhoIsWantedMustBeWhoIsThere) {
  v1::Hello caller = WithVersions({});
  v1::Hello server = WithVersions({});
  server.set_server(3);
  EXPECT_TRUE(CheckHello(server, caller).ok());
  caller.set_wanted_server(3);
  EXPECT_TRUE(CheckHello(server, caller).ok());
  EXPECT_TRUE(CheckHello(caller, server).ok());
  for (const uint32_t other : {0u, 5u}) {
    server.set_server(other);
    EXPECT_EQ(CheckHello(server, caller).code(), ErrorCode::kUnavailable) << other;
    EXPECT_EQ(CheckHello(caller, server).code(), ErrorCode::kUnavailable) << other;
  }
  EXPECT_EQ(CheckHello(caller, server).message(),
            "server 3 is wanted, but server 5 listens here");
}

TEST(HelloTest, WordsThatAreNotUtf8StillArriveWithTheirCode) {
  for (const char* words : {"caf\xc3\xa9", "bad \xff name", "cut \xe2\x82"}) {
    Frame frame;
    frame.header.kind = FrameKind::kResponse;
    frame.header.code = static_cast<uint16_t>(ErrorCode::kNotFound);
    frame.body = MakeDetail(Status(ErrorCode::kNotFound, words)).SerializeAsString();
    Status told = ParseDetail(frame);
    EXPECT_EQ(told.code(), ErrorCode::kNotFound);
    EXPECT_THAT(told.message(), testing::StartsWith(std::string(words).substr(0, 3)));
  }
}

TEST(HelloTest, AnErrorNeverTurnsIntoSuccess) {
  Frame frame;
  frame.header.kind = FrameKind::kGoodbye;
  EXPECT_FALSE(ParseDetail(frame).ok());
  frame.body = "\xff";
  EXPECT_FALSE(ParseDetail(frame).ok());
}

}  // namespace
}  // namespace cairn

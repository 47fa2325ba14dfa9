#include "common/config.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

// What a small server would read from `text`.
Status Read(std::string_view text) {
  ConfigReader reader("server.toml", text);
  reader.String("listen", "[::]:7400");
  reader.Integer("threads", 2, 1, 64);
  reader.Boolean("verbose", false);
  reader.Strings("peers");
  reader.String("tls.certificate", "");
  return reader.Finish();
}

TEST(Config, GivesValuesAndFallbacks) {
  ConfigReader reader("server.toml", "threads = 3\npeers = ['a', 'b']\n[tls]\nkey = 'k.pem'\n");
  EXPECT_EQ(reader.String("listen", "here"), "here");
  EXPECT_EQ(reader.Integer("threads", 2, 1, 64), 3);
  EXPECT_TRUE(reader.Boolean("verbose", true));
  EXPECT_EQ(reader.Strings("peers"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(reader.RequiredString("tls.key"), "k.pem");
  EXPECT_THAT(reader.Finish(), IsOk());
}

TEST(Config, EmptyTextIsAnEmptyConfiguration) { EXPECT_THAT(Read(""), IsOk()); }

TEST(Config, UnknownKeyIsToldWithItsPlace) {
  Status status = Read("threads = 3\n\nlisen = 'x'\n");
  EXPECT_THAT(status, StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(status.message(), "server.toml:3:1: unknown key 'lisen'");
  EXPECT_EQ(Read("[tls]\nkeyy = 1\n").message(), "server.toml:2:1: unknown key 'tls.keyy'");
  EXPECT_EQ(Read("[tsl]\n").message(), "server.toml:1:2: unknown key 'tsl'");
}

TEST(Config, WrongTypeAndRangeAreToldWithTheirPlace) {
  EXPECT_EQ(Read("threads = 'many'").message(),
            "server.toml:1:11: 'threads' must be a whole number from 1 to 64");
  EXPECT_EQ(Read("threads = 65").message(),
            "server.toml:1:11: 'threads' must be a whole number from 1 to 64");
  EXPECT_EQ(Read("listen = 7400").message(), "server.toml:1:10: 'listen' must be a string");
  EXPECT_EQ(Read("verbose = 1").message(), "server.toml:1:11: 'verbose' must be true or false");
  EXPECT_EQ(Read("peers = ['a', 1]").message(),
            "server.toml:1:15: 'peers' must be a list of strings");
  EXPECT_THAT(Read("peers = 'a'"), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Read("tls = 1").message(), "server.toml:1:7: 'tls' must be a table");
}

TEST(Config, FirstErrorInFileOrderIsTold) {
  EXPECT_EQ(Read("zzz = 1\nthreads = 0\n").message(), "server.toml:1:1: unknown key 'zzz'");
}

TEST(Config, SyntaxErrorIsToldWithItsPlace) {
  Status status = Read("threads = 3\nlisten = \n");
  EXPECT_THAT(status, StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(status.message().starts_with("server.toml:2:")) << status.message();
}

TEST(Config, MissingRequiredKeyIsTold) {
  ConfigReader reader("server.toml", "");
  reader.RequiredString("cluster");
  EXPECT_EQ(reader.Finish().message(), "server.toml: missing key 'cluster'");
}

TEST(ConfigTest, WhatTwoKeysTellTogetherIsRefusedAtItsPlace) {
  ConfigReader reader("c.toml", "a = [\"x\",\n  \"y\"]\n");
  EXPECT_TRUE(reader.Has("a"));
  EXPECT_FALSE(reader.Has("b"));
  EXPECT_EQ(reader.Strings("a").size(), 2u);
  reader.Refuse("a[1]", "y is not wanted");
  EXPECT_EQ(reader.Finish().message(), "c.toml:2:3: y is not wanted");
}

TEST(ConfigTest, LookingForAKeyIsNotReadingIt) {
  ConfigReader reader("c.toml", "a = 1\n");
  EXPECT_TRUE(reader.Has("a"));
  EXPECT_EQ(reader.Finish().message(), "c.toml:1:1: unknown key 'a'");
}

}  // namespace
}  // namespace cairn

#include "rpc/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "common/boot_id.h"

namespace cairn {
namespace {

TEST(AddressTest, EveryFormIsUnderstoodAndWrittenBack) {
  const std::pair<const char*, const char*> forms[] = {
      {"host", "host:7400"},        {"host:1", "host:1"},       {"10.0.0.1", "10.0.0.1:7400"},
      {"[::1]", "[::1]:7400"},      {"[fe80::2]:9", "[fe80::2]:9"},
      {"unix:/run/x.sock", "unix:/run/x.sock"}};
  for (auto [text, expected] : forms) {
    auto address = ParseAddress(text, 7400);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->ToString(), expected);
    EXPECT_EQ(ParseAddress(expected, 1), *address);
  }
}

TEST(AddressTest, NonsenseIsRefusedAndNamed) {
  for (const char* text : {"", ":7400", "host:", "host:x", "host:70000", "host:-1", "::1", "a:1:2",
                           "[::1", "[]", "[::1]7400", "[::1]:", "unix:", "unix:relative", "a b"}) {
    auto address = ParseAddress(text, 7400);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_EQ(address.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(address.error().message(), testing::HasSubstr(text));
  }
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(200, 'x'), 0).has_value());
}

TEST(AddressTest, AListIsSplitAtCommas) {
  auto list = ParseAddresses("a,b:2,[::3]:4", 1);
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ((*list)[1].ToString(), "b:2");
  EXPECT_FALSE(ParseAddresses("a,,b", 1).has_value());
  EXPECT_FALSE(ParseAddresses("a,", 1).has_value());
}

TEST(AddressTest, TheUnixSocketIsChosenOnlyUnderTheSameKernelAndIfItIsThere) {
  std::string path =
      std::filesystem::temp_directory_path() / fmt::format("cairn_address_{}.sock", getpid());
  v1::Endpoint endpoint;
  endpoint.set_host("h");
  endpoint.set_port(5);
  endpoint.set_unix_path(path);
  endpoint.set_boot_id(BootId());
  EXPECT_EQ(ChooseAddress(endpoint).ToString(), "h:5");
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(ChooseAddress(endpoint).ToString(), "unix:" + path);
  EXPECT_EQ(ChooseAddress(endpoint, false).ToString(), "h:5");
  endpoint.set_boot_id("another boot");
  EXPECT_EQ(ChooseAddress(endpoint).ToString(), "h:5");
  close(descriptor);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace cairn

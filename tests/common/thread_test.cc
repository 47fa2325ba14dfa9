#include "common/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <string>
#include <utility>

namespace cairn {
namespace {

TEST(ThreadTest, RunsItsBodyUnderTheStartOfItsName) {
  std::string name;
  Thread thread("a-name-longer-than-the-system-keeps", [&] {
    std::array<char, 16> kept{};
    pthread_getname_np(pthread_self(), kept.data(), kept.size());
    name = kept.data();
  });
  thread.Join();
  EXPECT_EQ(name, "a-name-longer-t");
}

TEST(ThreadTest, MovesAndIsJoinedOnce) {
  int runs = 0;
  Thread first("first", [&] { ++runs; });
  Thread second;
  second.Join();
  second = std::move(first);
  first.Join();
  second.Join();
  second.Join();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace cairn

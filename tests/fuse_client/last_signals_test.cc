#include "fuse_client/last_signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

namespace cairn::fuse {
namespace {

TEST(LastSignalsDeathTest, TheFirstIsPassedOverAndTheSecondEndsTheProcess) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    EXPECT_EXIT(
        {
          PassOverOneSignal();
          raise(signal);
          std::fprintf(stderr, "still here");
          raise(signal);
        },
        testing::KilledBySignal(signal), "still here");
  }
}

}  // namespace
}  // namespace cairn::fuse

#include "chunkserver/replication/copy_pace.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using namespace std::chrono_literals;

class CopyPaceTest : public testing::Test {
 protected:
  ManualClock clock_;
  CopyPace pace_{clock_};
};

TEST_F(CopyPaceTest, WithoutClientsNothingIsHeldBack) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pace_.Take(1u << 30, 1), Duration::zero());
}

TEST_F(CopyPaceTest, WithAClientWhatWasTakenIsPaidForByTheNext) {
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(100, 100), 0s);
  EXPECT_EQ(pace_.Take(50, 100), 1s);
  EXPECT_EQ(pace_.Take(100, 100), 1500ms);
}

TEST_F(CopyPaceTest, TimeThatGoesByIsWorked) {
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(100, 100), 0s);
  clock_.Advance(400ms);
  EXPECT_EQ(pace_.Take(100, 100), 600ms);
}

TEST_F(CopyPaceTest, IdleTimeIsNotSavedUp) {
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(100, 100), 0s);
  clock_.Advance(1h);
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(100, 100), 0s);
  EXPECT_EQ(pace_.Take(100, 100), 1s);
}

TEST_F(CopyPaceTest, ZeroIsTheDefaultRate) {
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(CopyPace::kDefaultBytesPerSecond, 0), 0s);
  EXPECT_EQ(pace_.Take(1, 0), 1s);
}

TEST_F(CopyPaceTest, AClientLingersForASecond) {
  pace_.NoteClient();
  EXPECT_EQ(pace_.Take(10000, 100), 0s);
  clock_.Advance(CopyPace::kClientsLinger);
  EXPECT_EQ(pace_.Take(1, 100), 99s);
  clock_.Advance(1ns);
  EXPECT_EQ(pace_.Take(1, 100), 0s);
}

}  // namespace
}  // namespace cairn

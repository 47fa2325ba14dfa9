#include "cli/progress_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace cairn {
namespace {

class ProgressLineTest : public testing::Test {
 protected:
  ManualClock clock_;
  std::ostringstream out_, err_;
  const Console console_{out_, err_, false};
};

TEST_F(ProgressLineTest, RewritesOneLineAndTakesItAway) {
  {
    ProgressLine line(console_, clock_, true);
    line.Show("one");
    line.Show("two");
    line.Show("two");
  }
  EXPECT_EQ(out_.str(), "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K");
}

TEST_F(ProgressLineTest, OnAPipeAChangeIsPrintedAtMostEveryFiveSeconds) {
  ProgressLine line(console_, clock_, false);
  line.Show("one");
  clock_.Advance(ProgressLine::kQuietTime - std::chrono::milliseconds(1));
  line.Show("two");
  EXPECT_EQ(out_.str(), "one\n");
  clock_.Advance(std::chrono::milliseconds(1));
  line.Show("three");
  EXPECT_EQ(out_.str(), "one\nthree\n");
}

TEST_F(ProgressLineTest, OnAPipeNothingIsPrintedTwice) {
  ProgressLine line(console_, clock_, false);
  for (int i = 0; i < 3; ++i) {
    line.Show("one");
    clock_.Advance(ProgressLine::kQuietTime);
  }
  EXPECT_EQ(out_.str(), "one\n");
}

}  // namespace
}  // namespace cairn

#include "common/exit_code.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

ExitCode For(ErrorCode code) { return ExitCodeOf(Status(code, "")); }

TEST(ExitCodeTest, FollowsTheDesign) {
  EXPECT_EQ(ExitCodeOf(OkStatus()), ExitCode::kOk);
  EXPECT_EQ(For(ErrorCode::kIoError), ExitCode::kFailed);
  EXPECT_EQ(For(ErrorCode::kInvalidArgument), ExitCode::kUsage);
  EXPECT_EQ(For(ErrorCode::kNotFound), ExitCode::kNotFound);
  EXPECT_EQ(For(ErrorCode::kAccessDenied), ExitCode::kDenied);
  EXPECT_EQ(For(ErrorCode::kUnavailable), ExitCode::kUnavailable);
  EXPECT_EQ(For(ErrorCode::kDeadlineExceeded), ExitCode::kUnavailable);
  EXPECT_EQ(For(ErrorCode::kBusy), ExitCode::kRefused);
  EXPECT_EQ(For(ErrorCode::kCancelled), ExitCode::kInterrupted);
}

}  // namespace
}  // namespace cairn

#include "common/logging.h"

#include <gtest/gtest.h>

#include <regex>

#include "common/file.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

class LoggingTest : public ::testing::Test {
 protected:
  ~LoggingTest() override { EXPECT_THAT(InitLogging({.name = "test"}), IsOk()); }
  TemporaryDirectory directory_;
};

TEST_F(LoggingTest, LineHasTimeLevelProcessAndEvent) {
  std::string path = directory_ / "log";
  ASSERT_THAT(InitLogging({.name = "chunkserver-2", .file = path}), IsOk());
  LOG_DEBUG("not told at level info");
  LOG_WARN("member removed pg={} server={}", 7, 3);  // a warning is flushed at once
  Result<std::string> text = LoadFile(PosixFiles(), path);
  ASSERT_THAT(text, IsOk());
  std::regex line(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z warning chunkserver-2 )"
                  R"(member removed pg=7 server=3\n)");
  EXPECT_TRUE(std::regex_match(*text, line)) << *text;
}

TEST_F(LoggingTest, RefusesAnUnknownLevelAndAFileItCannotOpen) {
  EXPECT_THAT(InitLogging({.name = "x", .level = "loud"}), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(InitLogging({.name = "x", .file = directory_.path()}),
              StatusIs(ErrorCode::kIoError));
}

}  // namespace
}  // namespace cairn

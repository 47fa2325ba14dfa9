#include "common/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "{} is odd", n);
  return n / 2;
}
Result<int> Quarter(int n) {
  ASSIGN_OR_RETURN(int half, Half(n));
  return Half(half);
}
Status Check(int n) {
  RETURN_IF_ERROR(Half(n));
  RETURN_IF_ERROR(OkStatus());
  return OkStatus();
}

TEST(Status, MacrosPassTheFirstErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_THAT(Quarter(6), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(Quarter(6).error().message(), "3 is odd");
  EXPECT_THAT(Check(4), IsOk());
  EXPECT_THAT(Check(5), StatusIs(ErrorCode::kInvalidArgument));
}

TEST(Status, KeepsTheErrnoOfASystemCall) {
  for (int error : {ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EPERM, EACCES, EINVAL,
                    ENAMETOOLONG, ENOSPC, EFBIG, EROFS, EIO}) {
    Status status = Status::FromErrno(error, "open /x");
    EXPECT_EQ(ErrnoFromCode(status.code()), error) << status.ToString();
    EXPECT_NE(status.message().find("open /x"), std::string::npos);
  }
  EXPECT_EQ(ErrnoFromCode(Status::FromErrno(EDQUOT, "").code()), ENOSPC);
}

TEST(Status, BeingShortOfSomethingIsNoFaultOfTheDisk) {
  for (int error : {EMFILE, ENFILE, ENOMEM}) {
    EXPECT_THAT(Status::FromErrno(error, "open /x"), StatusIs(ErrorCode::kUnavailable));
  }
}

TEST(Status, EachCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  size_t codes = 0;
  for (uint16_t code = 0; code < 200; ++code) {
    std::string_view name = ErrorCodeName(static_cast<ErrorCode>(code));
    if (name == "unknown error") continue;
    ++codes;
    names.insert(name);
    EXPECT_EQ(ErrnoFromCode(static_cast<ErrorCode>(code)) == 0, code == 0) << name;
  }
  EXPECT_EQ(names.size(), codes);
  EXPECT_GE(codes, 40u);
}

TEST(StatusDeathTest, BrokenPromiseNamesTheConditionAndAborts) {
  EXPECT_DEATH(CAIRN_CHECK(1 + 1 == 3), "broken promise: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace cairn

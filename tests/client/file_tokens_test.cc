#include "client/file_tokens.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace cairn::client {
namespace {

v1::Caller User(uint32_t uid) {
  v1::Caller caller;
  caller.set_uid(uid);
  return caller;
}

TEST(FileTokens, ASecondOpenWithAnotherRightKeepsTheFirstOne) {
  FileTokens tokens;
  tokens.Learn("r", O_RDONLY, User(1));
  EXPECT_EQ(tokens.For(TokenUse::kRead), "r");
  EXPECT_TRUE(tokens.For(TokenUse::kWrite).empty());
  tokens.Learn("w", O_WRONLY | O_APPEND, User(2));
  EXPECT_EQ(tokens.For(TokenUse::kRead), "r");
  EXPECT_EQ(tokens.For(TokenUse::kWrite), "w");
  EXPECT_EQ(tokens.read.opener.uid(), 1u);
  EXPECT_EQ(tokens.write.opener.uid(), 2u);
}

TEST(FileTokens, OneForBothReplacesBoth) {
  FileTokens tokens;
  tokens.Learn("r", O_RDONLY, User(1));
  tokens.Learn("rw", O_RDWR, User(2));
  EXPECT_EQ(tokens.For(TokenUse::kRead), "rw");
  EXPECT_EQ(tokens.For(TokenUse::kWrite), "rw");
}

TEST(FileTokens, ASyncGoesByWhicheverThereIs) {
  FileTokens tokens;
  EXPECT_TRUE(tokens.For(TokenUse::kSync).empty());
  tokens.Learn("r", O_RDONLY, User(1));
  EXPECT_EQ(tokens.For(TokenUse::kSync), "r");
  tokens.Learn("w", O_WRONLY, User(1));
  EXPECT_EQ(tokens.For(TokenUse::kSync), "w");
}

}  // namespace
}  // namespace cairn::client

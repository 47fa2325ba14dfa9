#include "common/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace cairn {
namespace {

// These values are readdir cookies and keys on disk.
TEST(NameHash, NeverChanges) {
  EXPECT_EQ(NameHash("a"), 0x2f94e1556ecdc293u);
  EXPECT_EQ(NameHash("README.md"), 0x333ef343ea7f6539u);
}

TEST(NameHash, LeavesRoomForDotAndDotDotAndTheSign) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) {
    uint64_t hash = NameHash("file" + std::to_string(i));
    EXPECT_GE(hash, 3u);
    EXPECT_EQ(hash >> 63, 0u);
    seen.insert(hash);
  }
  EXPECT_EQ(seen.size(), 100'000u);
}

TEST(RandomHex, HasTwoDigitsPerByteAndDiffers) {
  EXPECT_EQ(RandomHex(16).size(), 32u);
  EXPECT_EQ(RandomHex(0), "");
  EXPECT_EQ(RandomHex(8).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(RandomHex(16), RandomHex(16));
  EXPECT_NE(RandomBits(), RandomBits());
}

}  // namespace
}  // namespace cairn

#include "common/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace cairn {
namespace {

uint32_t Of(std::string_view text, uint32_t seed = 0) {
  return Crc32c(text.data(), text.size(), seed);
}

// RFC 3720 B.4 and the check value of the Castagnoli polynomial.
TEST(Crc32c, MatchesPublishedValues) {
  EXPECT_EQ(Of("123456789"), 0xE3069283u);
  EXPECT_EQ(Of(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Of(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(Of(""), 0u);
}

TEST(Crc32c, OfTwoPiecesIsThatOfTheWhole) {
  std::string whole = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_EQ(Of(whole.substr(cut), Of(whole.substr(0, cut))), Of(whole)) << cut;
  }
}

}  // namespace
}  // namespace cairn

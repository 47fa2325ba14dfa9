#include "cli/output.h"

#include <gmock/gmock.h>

#include <sstream>

#include "cairn/v1/admin.pb.h"

namespace cairn {
namespace {

TEST(FormatBytesTest, CountsInPowersOfTwo) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(16 << 20), "16.0 MiB");
  EXPECT_EQ(FormatBytes(uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(FormatBytes(~uint64_t{0}), "16.0 EiB");
}

TEST(ToJsonTest, KeepsNamesAndDefaults) {
  v1::HealthItem item;
  item.set_code("FULL");
  EXPECT_EQ(ToJson(item), R"({"code":"FULL","severity":"","subject":"","text":""})");
}

TEST(QuoteJsonTest, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(QuoteJson("a\"b\\c\n"), R"("a\"b\\c\u000a")");
  EXPECT_EQ(JsonList({}), "[]");
  EXPECT_EQ(JsonList({"a", "b"}), R"(["a","b"])");
}

TEST(TableTest, AlignsColumnsAndColoursOnlyWhenAsked) {
  Table table({"A", "LONG"});
  table.Add({"wide one", "x"}, Colour::kBad);
  std::ostringstream plain, coloured, errors;
  table.Print(Console{plain, errors, false});
  EXPECT_EQ(plain.str(), "A         LONG\nwide one  x\n");
  table.Print(Console{coloured, errors, true});
  EXPECT_THAT(coloured.str(), testing::HasSubstr("\x1b[31mwide one  x\x1b[0m"));
}

}  // namespace
}  // namespace cairn

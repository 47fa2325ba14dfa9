#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

constexpr uint64_t kMebibyte = 1u << 20;  // a chunk

class FinishTrimTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(FinishTrimTest);

TEST_P(FinishTrimTest, RuleC9TrimsMergeUntilTheNewestIsFinished) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 8 * kMebibyte, {{0, 8}}, 0);
  fs_.Truncate("/x", 6 * kMebibyte);
  fs_.Truncate("/x", 2 * kMebibyte);
  const std::string key = schema::TrimKey(fs_.Resolve("/x"));
  EXPECT_EQ(RunsText(fs_.Find<v1::TrimRecord>(key)->runs()), "2+6");
  EXPECT_EQ(fs_.FinishTrim("/x", 1), Code::kOk);  // the second cut is not done yet
  EXPECT_TRUE(fs_.Find<v1::TrimRecord>(key).has_value());
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("2:{}", 2 * kMebibyte));
  EXPECT_EQ(fs_.FinishTrim("/x", 2), Code::kOk);
  EXPECT_FALSE(fs_.Find<v1::TrimRecord>(key).has_value());
  EXPECT_EQ(fs_.Cuts("/x"), "");
  EXPECT_EQ(fs_.Inode("/x").file().generation(), 2u);
  EXPECT_EQ(fs_.FinishTrim("/x", 2), Code::kOk);  // again: nothing to do
}

}  // namespace

}  // namespace cairn::testing

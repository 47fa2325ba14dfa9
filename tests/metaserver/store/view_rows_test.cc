#include "metaserver/store/view_rows.h"

#include "tests/metaserver/test_stores.h"

namespace cairn::testing {
namespace {

class ViewRowsTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  TemporaryDirectory place_;
};
CAIRN_OVER_BOTH_STORES(ViewRowsTest);

TEST_P(ViewRowsTest, AStoreFilledFromRowsIsEqual) {
  const auto store = OpenStore(GetParam(), place_.path() + "/a");
  RowChanges changes;
  for (int i = 0; i < 3000; ++i) {  // several times what is read ahead
    changes[std::to_string(i * 7919)] = std::string(static_cast<size_t>(i % 700), 'x');
  }
  changes["a"] = "";
  ASSERT_TRUE(store->Write(changes, false).ok());
  ViewRows rows(store->View());
  const auto copy = OpenStore(GetParam(), place_.path() + "/b");
  ASSERT_TRUE(FillStore(rows, *copy).ok());
  EXPECT_EQ(RowsOf(*copy), RowsOf(*store));
}

TEST_P(ViewRowsTest, AnEmptyViewHasNoRows) {
  ViewRows rows(OpenStore(GetParam(), place_.path() + "/a")->View());
  std::string key;
  std::string value;
  EXPECT_FALSE(*rows.Next(key, value));
  EXPECT_FALSE(*rows.Next(key, value));
}

}  // namespace
}  // namespace cairn::testing

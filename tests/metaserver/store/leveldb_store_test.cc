#include <gtest/gtest.h>

#include "metaserver/store/kv_store.h"
#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

TEST(LevelDbStoreTest, RowsOutliveTheProcess) {
  TemporaryDirectory directory;
  auto store = OpenStore(StoreKind::kLevelDb, directory.path());
  ASSERT_TRUE(store->Write({{"a", "1"}}, false).ok());
  store.reset();
  EXPECT_EQ(RowsOf(*OpenStore(StoreKind::kLevelDb, directory.path())), (AllRows{{"a", "1"}}));
}

TEST(LevelDbStoreTest, AViewOutlivesTheStore) {
  TemporaryDirectory directory;
  auto store = OpenStore(StoreKind::kLevelDb, directory.path());
  ASSERT_TRUE(store->Write({{"a", "1"}}, false).ok());
  const auto view = store->View();
  store.reset();
  EXPECT_EQ(**view->Get("a"), "1");
}

}  // namespace

}  // namespace cairn::testing

#include <gtest/gtest.h>

#include "metaserver/store/kv_store.h"
#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

TEST(MemoryStoreTest, AViewOutlivesTheStore) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(store->Write({{"a", "1"}}, false).ok());
  const auto view = store->View();
  store.reset();
  EXPECT_EQ(**view->Get("a"), "1");
}

}  // namespace

}  // namespace cairn::testing

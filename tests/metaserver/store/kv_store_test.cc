#include "metaserver/store/kv_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;

class KvStoreTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  std::vector<std::string> Scan(std::string_view prefix, std::string_view from) {
    std::vector<std::string> keys;
    EXPECT_TRUE(store_->View()
                    ->Scan(prefix, from,
                           [&](std::string_view key, std::string_view) {
                             keys.emplace_back(key);
                             return true;
                           })
                    .ok());
    return keys;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<KvStore> store_ = OpenStore(GetParam(), directory_.path());
};
CAIRN_OVER_BOTH_STORES(KvStoreTest);

TEST_P(KvStoreTest, ABatchPutsAndDeletesTogether) {
  ASSERT_TRUE(store_->Write({{"a", "1"}, {"b", "2"}}, false).ok());
  ASSERT_TRUE(store_->Write({{"a", std::nullopt}, {"c", "3"}, {"never", std::nullopt}}, true).ok());
  EXPECT_EQ(RowsOf(*store_), (AllRows{{"b", "2"}, {"c", "3"}}));
}

TEST_P(KvStoreTest, AViewDoesNotSeeLaterWrites) {
  ASSERT_TRUE(store_->Write({{"a", "1"}}, false).ok());
  const auto view = store_->View();
  ASSERT_TRUE(store_->Write({{"a", "2"}, {"b", "2"}}, false).ok());
  EXPECT_EQ(**view->Get("a"), "1");
  EXPECT_FALSE(view->Get("b")->has_value());
  EXPECT_EQ(**store_->View()->Get("a"), "2");
}

TEST_P(KvStoreTest, ScansStayWithinThePrefixAndBeginWhereTold) {
  ASSERT_TRUE(
      store_->Write({{"a", ""}, {"da", ""}, {"db", ""}, {"dc", ""}, {"e", ""}}, false).ok());
  EXPECT_THAT(Scan("d", "d"), ElementsAre("da", "db", "dc"));
  EXPECT_THAT(Scan("d", "db"), ElementsAre("db", "dc"));
  EXPECT_THAT(Scan("d", "a"), ElementsAre("da", "db", "dc"));
  EXPECT_THAT(Scan("d", "e"), ElementsAre());
}

TEST_P(KvStoreTest, AnEmptySyncedWriteIsAllowed) {
  EXPECT_TRUE(store_->Write({}, true).ok());
}

}  // namespace

}  // namespace cairn::testing

#include "metaserver/store/state_hash.h"

#include <gtest/gtest.h>

#include <random>

#include "metaserver/store/schema.h"
#include "tests/metaserver/seed.h"

namespace cairn {
namespace {

TEST(StateHashTest, RuleM7ChangesKeepItEqualToThatOfAllRows) {
  std::mt19937_64 random(testing::TestSeed());
  const auto store = MakeMemoryStore();
  uint64_t hash = 0;
  for (int batch = 0; batch < 200; ++batch) {
    RowChanges changes;
    for (int i = 0; i < 5; ++i) {
      const std::string key = "k" + std::to_string(random() % 30);
      if (random() % 3 == 0) {
        changes[key] = std::nullopt;
      } else {
        changes[key] = std::string(random() % 40, 'v') + std::to_string(random());
      }
    }
    hash = *HashAfter(hash, *store->View(), changes);
    ASSERT_TRUE(store->Write(changes, false).ok());
    ASSERT_EQ(hash, *HashOf(*store->View()));
  }
}

TEST(StateHashTest, TheStateRowWhichHoldsItIsLeftOut) {
  const auto store = MakeMemoryStore();
  RowChanges changes;
  changes[schema::StateKey()] = "anything";
  EXPECT_EQ(*HashAfter(7, *store->View(), changes), 7u);
}

TEST(StateHashTest, KeyAndValueDoNotRunIntoOneAnother) {
  EXPECT_NE(RowHash("ab", "c"), RowHash("a", "bc"));
  EXPECT_NE(RowHash("a", ""), RowHash("", "a"));
  EXPECT_NE(RowHash("a", std::string(1, '\0')), RowHash("a", ""));
  // Reaches disk: never changes.
  EXPECT_EQ(RowHash("key", "a longer value than eight bytes"),
            RowHash("key", "a longer value than eight bytes"));
}

}  // namespace
}  // namespace cairn

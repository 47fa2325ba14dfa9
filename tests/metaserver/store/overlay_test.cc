#include "metaserver/store/overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/metaserver/seed.h"
#include "tests/metaserver/test_stores.h"

namespace cairn::testing {

namespace {

AllRows Seen(const ReadView& view, std::string_view prefix = "", size_t at_most = SIZE_MAX) {
  AllRows rows;
  EXPECT_TRUE(view.Scan(prefix, prefix,
                        [&](std::string_view key, std::string_view row) {
                          rows.emplace(key, row);
                          return rows.size() < at_most;
                        })
                  .ok());
  return rows;
}

TEST(OverlayTest, ReadsAsIfItWereWritten) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(store->Write({{"a", "1"}, {"b", "1"}, {"d", "1"}}, false).ok());
  const auto view = store->View();
  Overlay overlay(*view);
  overlay.Put("b", "2");
  overlay.Put("c", "2");
  overlay.Erase("a");
  EXPECT_EQ(Seen(overlay), (AllRows{{"b", "2"}, {"c", "2"}, {"d", "1"}}));
  EXPECT_EQ(Seen(overlay, "", 2), (AllRows{{"b", "2"}, {"c", "2"}}));
  EXPECT_FALSE(overlay.Get("a")->has_value());
  EXPECT_EQ(**overlay.Get("d"), "1");
}

TEST(OverlayTest, RollsBackToTheMarkAndNoFurther) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(store->Write({{"a", "1"}, {"b", "1"}}, false).ok());
  const auto view = store->View();
  Overlay overlay(*view);
  overlay.Put("a", "2");
  overlay.Erase("b");
  overlay.Mark();
  overlay.Put("a", "3");
  overlay.Put("a", "4");
  overlay.Put("b", "3");
  overlay.Put("c", "3");
  overlay.RollBack();
  EXPECT_EQ(Seen(overlay), (AllRows{{"a", "2"}}));
  EXPECT_EQ(overlay.changes().size(), 2u);
}

TEST(OverlayTest, EqualsAPlainMapWhateverIsDone) {
  std::mt19937_64 random(TestSeed());
  auto any_key = [&] { return std::string(1, static_cast<char>('a' + random() % 12)); };
  auto store = MakeMemoryStore();
  AllRows truth;
  for (int i = 0; i < 6; ++i) truth[any_key()] = "base";
  for (const auto& [key, row] : truth) ASSERT_TRUE(store->Write({{key, row}}, false).ok());
  const auto view = store->View();
  Overlay overlay(*view);
  AllRows marked = truth;
  for (int step = 0; step < 2000; ++step) {
    const std::string key = any_key();
    switch (random() % 5) {
      case 0:
        overlay.Erase(key);
        truth.erase(key);
        break;
      case 1:
        overlay.Mark();
        marked = truth;
        break;
      case 2:
        overlay.RollBack();
        truth = marked;
        break;
      default:
        overlay.Put(key, std::to_string(step));
        truth[key] = std::to_string(step);
    }
    ASSERT_EQ(Seen(overlay), truth);
  }
}

}  // namespace

}  // namespace cairn::testing

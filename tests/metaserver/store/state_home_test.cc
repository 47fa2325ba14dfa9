#include "metaserver/store/state_home.h"

#include <gtest/gtest.h>

#include "common/file.h"
#include "tests/metaserver/test_stores.h"

namespace cairn::testing {
namespace {

class StateHomeTest : public ::testing::Test {
 protected:
  std::unique_ptr<StateHome> Home() { return MakeLevelDbHome(place_.path(), PosixFiles(), false); }
  static void Put(KvStore& store, const std::string& value) {
    RowChanges changes;
    changes["key"] = value;
    CAIRN_CHECK(store.Write(changes, true).ok());
  }
  static std::string ValueIn(KvStore& store) { return store.View()->Get("key")->value_or("none"); }
  bool Exists(const std::string& name) { return PosixFiles().Exists(place_.path() + "/" + name); }

  TemporaryDirectory place_;
};

TEST_F(StateHomeTest, AnotherStoreIsTheCurrentOneOnlyAfterTheSwitch) {
  {
    auto home = Home();
    auto store = *home->Open();
    Put(*store, "old");
    auto another = *home->BeginAnother();
    Put(*another, "new");
  }
  {
    auto home = Home();
    auto store = *home->Open();
    EXPECT_EQ(ValueIn(*store), "old");
    EXPECT_FALSE(Exists("state-1"));  // nobody's
    auto another = *home->BeginAnother();
    EXPECT_EQ(ValueIn(*another), "none");
    Put(*another, "newer");
    ASSERT_TRUE(home->Switch().ok());
  }
  auto home = Home();
  auto store = *home->Open();
  EXPECT_EQ(ValueIn(*store), "newer");
  EXPECT_FALSE(Exists("state"));
}

TEST_F(StateHomeTest, ADiscardedStoreGoesWithItsLastView) {
  auto home = Home();
  auto store = *home->Open();
  Put(*store, "old");
  auto view = store->View();
  auto another = *home->BeginAnother();
  ASSERT_TRUE(home->Switch().ok());
  store->Discard();
  store.reset();
  EXPECT_EQ(view->Get("key")->value_or("none"), "old");
  EXPECT_TRUE(Exists("state"));
  view.reset();
  EXPECT_FALSE(Exists("state"));
  EXPECT_TRUE(Exists("state-1"));
}

TEST_F(StateHomeTest, StoresCanTakeTurnsForEver) {
  auto home = Home();
  auto store = *home->Open();
  for (int turn = 1; turn <= 3; ++turn) {
    auto another = *home->BeginAnother();
    Put(*another, std::to_string(turn));
    ASSERT_TRUE(home->Switch().ok());
    store->Discard();
    store = std::move(another);
  }
  store.reset();
  EXPECT_EQ(ValueIn(**Home()->Open()), "3");
}

TEST_F(StateHomeTest, AFileThatNamesNoStoreIsDamage) {
  ASSERT_TRUE(ReplaceFile(PosixFiles(), place_.path() + "/state-current", "x\n").ok());
  EXPECT_EQ(Home()->Open().error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace cairn::testing

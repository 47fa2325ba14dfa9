#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class NewEntryTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(NewEntryTest);

TEST_P(NewEntryTest, ATakenNameIsSaidBeforeAMissingRight) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/a/b");
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.MakeDirectory("/a/b"), Code::kExists);
  EXPECT_EQ(fs_.MakeDirectory("/a/c"), Code::kAccessDenied);
  EXPECT_EQ(fs_.RemoveDirectory("/a/b"), Code::kAccessDenied);
}

}  // namespace

}  // namespace cairn::testing

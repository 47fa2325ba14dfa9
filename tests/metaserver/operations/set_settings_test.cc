#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class SetSettingsTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(SetSettingsTest);

TEST_P(SetSettingsTest, TheLastOnesAreKeptAndTheMapMovesOn) {
  EXPECT_FALSE(fs_.Find<v1::Settings>(schema::SettingsKey()).has_value());
  const uint64_t version = fs_.State().map_version();
  for (const uint64_t rate : {5, 0, 7}) {
    v1::Command command;
    command.mutable_set_settings()->mutable_settings()->set_copy_bytes_per_second(rate);
    ASSERT_EQ(fs_.Run(command), Code::kOk);
    EXPECT_EQ(fs_.Find<v1::Settings>(schema::SettingsKey())->copy_bytes_per_second(), rate);
  }
  EXPECT_EQ(fs_.State().map_version(), version + 3);
}

}  // namespace

}  // namespace cairn::testing

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class SetAttributesTest : public NamespaceTest {
 protected:
  v1::Command Times(const std::string& path, bool now) {
    v1::Command command;
    v1::SetAttributesRequest& request = *command.mutable_set_attributes();
    request.set_inode(fs_.Resolve(path).value);
    *request.mutable_caller() = User(7, 7);
    if (now) {
      request.set_modify_time_now(true);
      request.set_access_time_now(true);
    } else {
      request.mutable_modify_time()->set_seconds(42);
    }
    return command;
  }
};
CAIRN_OVER_BOTH_STORES(SetAttributesTest);

TEST_P(SetAttributesTest, OnlyTheOwnerChangesTheMode) {
  fs_.MakeFile("/x");
  fs_.Chown("/x", 7, 7);
  fs_.As(User(8, 8));
  EXPECT_EQ(fs_.Chmod("/x", 0777), Code::kPermission);
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.Chmod("/x", 02770), Code::kOk);
  EXPECT_EQ(fs_.Mode("/x"), 02770u);
}

TEST_P(SetAttributesTest, SetGroupIdNeedsTheGroup) {
  fs_.MakeFile("/x");
  fs_.Chown("/x", 7, 55);
  fs_.As(User(7, 7));
  fs_.Chmod("/x", 02770);
  EXPECT_EQ(fs_.Mode("/x"), 0770u);
  fs_.As(User(7, 7, {55}));
  fs_.Chmod("/x", 02770);
  EXPECT_EQ(fs_.Mode("/x"), 02770u);
}

TEST_P(SetAttributesTest, OwnersGiveFilesOnlyToTheirGroups) {
  fs_.MakeFile("/x");
  fs_.Chown("/x", 7, 7);
  fs_.As(User(7, 7, {55}));
  EXPECT_EQ(fs_.Chown("/x", 8, std::nullopt), Code::kPermission);
  EXPECT_EQ(fs_.Chown("/x", std::nullopt, 66), Code::kPermission);
  EXPECT_EQ(fs_.Chown("/x", 7, 55), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").gid(), 55u);
}

TEST_P(SetAttributesTest, ANewOwnerTakesSetIdBitsAway) {
  fs_.MakeFile("/program");
  fs_.Chmod("/program", 06755);
  fs_.Chown("/program", 7, std::nullopt);
  EXPECT_EQ(fs_.Mode("/program"), 0755u);
  fs_.MakeFile("/locked");
  fs_.Chmod("/locked", 02644);  // without execution the bit lends nothing
  fs_.Chown("/locked", 7, std::nullopt);
  EXPECT_EQ(fs_.Mode("/locked"), 02644u);
}

TEST_P(SetAttributesTest, TruncationByAUserTakesSetIdBitsAway) {
  fs_.MakeFile("/x");
  fs_.Chown("/x", 7, 7);
  fs_.Chmod("/x", 04755);
  fs_.Truncate("/x", 10);
  EXPECT_EQ(fs_.Mode("/x"), 04755u);  // root may
  fs_.As(User(7, 7));
  fs_.Truncate("/x", 5);
  EXPECT_EQ(fs_.Mode("/x"), 0755u);
}

TEST_P(SetAttributesTest, TruncationNeedsTheRightToWriteUnlessCheckedAtOpen) {
  fs_.MakeFile("/x", 0644);
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.Truncate("/x", 5), Code::kAccessDenied);
  v1::Command command;
  v1::SetAttributesRequest& request = *command.mutable_set_attributes();
  *request.mutable_caller() = User(7, 7);
  request.set_inode(fs_.Resolve("/x").value);
  request.set_size(5);
  request.set_by_open_handle(true);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
}

TEST_P(SetAttributesTest, ChosenTimesAreTheOwnersAndNowIsForWriters) {
  fs_.MakeFile("/x", 0666);
  EXPECT_EQ(fs_.Run(Times("/x", false)), Code::kPermission);
  EXPECT_EQ(fs_.Run(Times("/x", true)), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").modify_time().seconds(), fs_.Stat("/x").change_time().seconds());
  v1::Command one = Times("/x", true);
  one.mutable_set_attributes()->set_access_time_now(false);
  EXPECT_EQ(fs_.Run(one), Code::kPermission);
  fs_.Chmod("/x", 0644);
  EXPECT_EQ(fs_.Run(Times("/x", true)), Code::kAccessDenied);
  fs_.Chown("/x", 7, 7);
  EXPECT_EQ(fs_.Run(Times("/x", false)), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").modify_time().seconds(), 42);
  v1::Command odd = Times("/x", false);
  odd.mutable_set_attributes()->mutable_modify_time()->set_nanoseconds(1'000'000'000);
  EXPECT_EQ(fs_.Run(odd), Code::kInvalidArgument);
}

TEST_P(SetAttributesTest, AFailedPartLeavesTheRestUndone) {
  fs_.MakeFile("/x", 0666);
  v1::Command command;
  v1::SetAttributesRequest& request = *command.mutable_set_attributes();
  *request.mutable_caller() = User(7, 7);
  request.set_inode(fs_.Resolve("/x").value);
  request.set_size(10);
  request.set_mode(0600);
  EXPECT_EQ(fs_.Run(command), Code::kPermission);
  EXPECT_EQ(fs_.Stat("/x").size(), 0u);
}

}  // namespace

}  // namespace cairn::testing

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class OpenTruncateTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(OpenTruncateTest);

TEST_P(OpenTruncateTest, RuleC9AnOpenThatTruncatesIsACut) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 3u << 20, {{0, 3}}, 0);
  v1::Command command;
  v1::OpenRequest& request = *command.mutable_open_truncate()->mutable_request();
  request.set_inode(fs_.Resolve("/x").value);
  request.set_flags(O_WRONLY);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").size(), 0u);
  EXPECT_EQ(fs_.Cuts("/x"), "1:0");
  EXPECT_EQ(fs_.Runs("/x"), "");
}

TEST_P(OpenTruncateTest, NeedsTheRightToWriteEvenToReadOnly) {
  fs_.MakeFile("/x", 0644);
  v1::Command command;
  v1::OpenRequest& request = *command.mutable_open_truncate()->mutable_request();
  request.set_inode(fs_.Resolve("/x").value);
  request.set_flags(O_RDONLY);
  *request.mutable_caller() = User(7, 7);
  EXPECT_EQ(fs_.Run(command), Code::kAccessDenied);
  request.set_inode(kRootInode.value);
  EXPECT_EQ(fs_.Run(command), Code::kIsDirectory);
}

}  // namespace

}  // namespace cairn::testing

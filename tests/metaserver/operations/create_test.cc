#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class CreateTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(CreateTest);

TEST_P(CreateTest, AFileHasALayoutAnOwnerAndOneName) {
  fs_.MakeDirectory("/home", 0777);
  fs_.As(User(7, 8));
  ASSERT_EQ(fs_.MakeFile("/home/x", 0640), Code::kOk);
  const v1::InodeRecord inode = fs_.Inode("/home/x");
  EXPECT_EQ(inode.attributes().mode(), S_IFREG | 0640u);
  EXPECT_EQ(inode.attributes().uid(), 7u);
  EXPECT_EQ(inode.attributes().gid(), 8u);
  EXPECT_EQ(inode.attributes().links(), 1u);
  EXPECT_EQ(inode.attributes().version(), 1u);
  EXPECT_EQ(inode.file().layout().chunk_size(), kMinChunkSize);
  EXPECT_EQ(inode.file().layout().pool(), 1u);
  EXPECT_EQ(fs_.Stat("/home").modify_time().seconds(), inode.attributes().birth_time().seconds());
}

TEST_P(CreateTest, ATakenNameIsRefusedOrLookedAtAgain) {
  fs_.MakeFile("/x");
  EXPECT_EQ(fs_.MakeFile("/x"), Code::kExists);
  v1::Command command;
  command.mutable_create()->set_parent(1);
  command.mutable_create()->set_name("x");
  EXPECT_EQ(fs_.Run(command), Code::kBusy);  // without O_EXCL the proposer opens it
}

TEST_P(CreateTest, TheParentMustBeAWritableDirectory) {
  fs_.MakeFile("/file");
  fs_.MakeDirectory("/closed", 0755);
  fs_.MakeDirectory("/hidden", 0700);
  EXPECT_EQ(fs_.MakeFile("/file/x"), Code::kNotDirectory);
  v1::Command command;
  command.mutable_create()->set_parent(12345);
  command.mutable_create()->set_name("x");
  EXPECT_EQ(fs_.Run(command), Code::kNotFound);
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.MakeFile("/closed/x"), Code::kAccessDenied);
  EXPECT_EQ(fs_.MakeFile("/hidden/x"), Code::kAccessDenied);
}

TEST_P(CreateTest, RuleM1AnIdThatWasNeverReservedIsRefused) {
  v1::Command command;
  command.mutable_create()->set_parent(1);
  command.mutable_create()->set_name("x");
  command = fs_.Complete(command);
  command.set_new_inode(fs_.State().next_inode());
  EXPECT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kInternal);
  command.set_new_inode(kRootInode.value);
  EXPECT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kInternal);
}

TEST_P(CreateTest, ASetGroupIdDirectoryHandsItsGroupDown) {
  fs_.MakeDirectory("/shared", 0777);
  fs_.Chown("/shared", std::nullopt, 55);
  fs_.Chmod("/shared", 02777);
  fs_.As(User(7, 7));
  fs_.MakeFile("/shared/file", 02775);
  fs_.MakeDirectory("/shared/dir");
  EXPECT_EQ(fs_.Stat("/shared/file").gid(), 55u);
  EXPECT_EQ(fs_.Mode("/shared/file"), 0775u);  // not in the group: it cannot be lent
  EXPECT_EQ(fs_.Stat("/shared/dir").gid(), 55u);
  EXPECT_EQ(fs_.Mode("/shared/dir"), 02755u);
}

}  // namespace

}  // namespace cairn::testing

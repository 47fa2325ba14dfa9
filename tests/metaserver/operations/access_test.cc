#include "metaserver/operations/access.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

v1::Attributes Owned(uint32_t mode, uint32_t uid, uint32_t gid) {
  v1::Attributes attributes;
  attributes.set_mode(mode);
  attributes.set_uid(uid);
  attributes.set_gid(gid);
  return attributes;
}

Code Check(const v1::Attributes& attributes, const v1::Caller& caller, uint32_t mask) {
  return CheckAccess(attributes, caller, mask).code();
}

Code Open(uint32_t mode, uint32_t flags, const v1::Caller& caller) {
  v1::InodeRecord inode;
  *inode.mutable_attributes() = Owned(mode, 1, 1);
  return CheckOpen(inode, caller, flags).code();
}

TEST(AccessTest, TheFirstClassThatFitsDecides) {
  const v1::Attributes file = Owned(S_IFREG | 0047, 7, 8);
  EXPECT_EQ(Check(file, User(7, 8), kMayRead), Code::kAccessDenied);  // the owner has nothing
  EXPECT_EQ(Check(file, User(9, 8), kMayRead), Code::kOk);
  EXPECT_EQ(Check(file, User(9, 8), kMayWrite), Code::kAccessDenied);
  EXPECT_EQ(Check(file, User(9, 9, {8}), kMayWrite), Code::kAccessDenied);
  EXPECT_EQ(Check(file, User(9, 9), kMayRead | kMayWrite | kMayExecute), Code::kOk);
  EXPECT_EQ(Check(file, User(7, 8), 0), Code::kOk);
}

TEST(AccessTest, RootLacksOnlyExecutionOfWhatNobodyMayExecute) {
  EXPECT_EQ(Check(Owned(S_IFREG, 7, 7), User(0, 0), kMayRead | kMayWrite), Code::kOk);
  EXPECT_EQ(Check(Owned(S_IFREG, 7, 7), User(0, 0), kMayExecute), Code::kAccessDenied);
  EXPECT_EQ(Check(Owned(S_IFREG | 0001, 7, 7), User(0, 0), kMayExecute), Code::kOk);
  EXPECT_EQ(Check(Owned(S_IFDIR, 7, 7), User(0, 0), kMayExecute), Code::kOk);
}

TEST(AccessTest, OpenAsksForWhatTheFlagsWillDo) {
  EXPECT_EQ(Open(S_IFREG | 0444, O_RDONLY, User(5, 5)), Code::kOk);
  EXPECT_EQ(Open(S_IFREG | 0444, O_RDWR, User(5, 5)), Code::kAccessDenied);
  EXPECT_EQ(Open(S_IFREG | 0444, O_RDONLY | O_TRUNC, User(5, 5)), Code::kAccessDenied);
  EXPECT_EQ(Open(S_IFREG | 0222, O_WRONLY, User(5, 5)), Code::kOk);
  EXPECT_EQ(Open(S_IFREG | 0111, 0x20, User(5, 5)), Code::kOk);  // to be run
  EXPECT_EQ(Open(S_IFDIR | 0777, O_RDONLY, User(5, 5)), Code::kOk);
  EXPECT_EQ(Open(S_IFDIR | 0777, O_WRONLY, User(0, 0)), Code::kIsDirectory);
  EXPECT_EQ(Open(S_IFLNK | 0777, O_RDONLY, User(0, 0)), Code::kLoop);
}

TEST(AccessTest, StickyDirectoriesKeepEntriesForTheirOwners) {
  const v1::Attributes sticky = Owned(S_IFDIR | S_ISVTX | 0777, 1, 1);
  const v1::Attributes file = Owned(S_IFREG, 2, 2);
  EXPECT_EQ(CheckSticky(sticky, file, User(3, 3)).code(), Code::kPermission);
  EXPECT_EQ(CheckSticky(sticky, file, User(2, 3)).code(), Code::kOk);
  EXPECT_EQ(CheckSticky(sticky, file, User(1, 3)).code(), Code::kOk);
  EXPECT_EQ(CheckSticky(sticky, file, User(0, 0)).code(), Code::kOk);
  EXPECT_EQ(CheckSticky(Owned(S_IFDIR | 0777, 1, 1), file, User(3, 3)).code(), Code::kOk);
}

}  // namespace

}  // namespace cairn::testing

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class DropLinkTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(DropLinkTest);

TEST_P(DropLinkTest, RuleC11AnUnexpectedVictimMayBeHeldByAnySession) {
  const uint64_t session = fs_.OpenSession("mount");
  fs_.MakeFile("/x");
  v1::Command unlink;
  unlink.mutable_unlink()->set_parent(1);
  unlink.mutable_unlink()->set_name("x");
  unlink = fs_.Complete(unlink);
  unlink.set_expected_victim(unlink.expected_victim() + 1);
  const InodeId inode = fs_.Resolve("/x");
  EXPECT_TRUE(fs_.Apply(unlink).still_open());
  EXPECT_THAT(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(inode))->holders(),
              ::testing::ElementsAre(session));
}

TEST_P(DropLinkTest, WhatWaitsToBeTrimmedIsRemovedToo) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 5u << 20, {{0, 5}}, 0);
  fs_.Truncate("/x", 0);
  const InodeId inode = fs_.Resolve("/x");
  EXPECT_EQ(fs_.Unlink("/x"), Code::kOk);
  EXPECT_FALSE(fs_.Find<v1::TrimRecord>(schema::TrimKey(inode)).has_value());
  auto record = fs_.Find<v1::InodeRecord>(schema::InodeKey(inode));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->file().runs(0).count(), 5u);
}

TEST_P(DropLinkTest, AHeldFileCanStillBeWrittenAndALeavingOneCannot) {
  const uint64_t session = fs_.OpenSession("mount");
  fs_.MakeFile("/held");
  fs_.MakeFile("/gone");
  fs_.Commit("/gone", 10, {{0, 1}}, 0);
  v1::Command write;
  write.mutable_commit_write()->set_inode(fs_.Resolve("/held").value);
  write.mutable_commit_write()->set_end(10);
  v1::Command late = write;
  late.mutable_commit_write()->set_inode(fs_.Resolve("/gone").value);
  fs_.Unlink("/gone");
  fs_.HeldBy({session});
  fs_.Unlink("/held");
  EXPECT_EQ(fs_.Run(write), Code::kOk);
  EXPECT_EQ(fs_.Run(late), Code::kStaleHandle);
}

}  // namespace

}  // namespace cairn::testing

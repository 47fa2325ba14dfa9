#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;

class MetadataRemovalsTest : public ServiceTest {
 protected:
  uint64_t session_ = OpenSession("mount");
  uint64_t other_ = OpenSession("other");
};

TEST_F(MetadataRemovalsTest, RuleC11AnUnlinkedFileLivesUntilItsHolderCloses) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  const auto removed = Unlink("x", other_);
  EXPECT_TRUE(removed->still_open());
  EXPECT_EQ(removed->inode(), inode);
  EXPECT_EQ(removed->links(), 0u);
  EXPECT_THAT(Orphan(inode)->holders(), ElementsAre(session_));
  EXPECT_TRUE(Open(inode, session_).has_value());
  EXPECT_EQ(CodeOf(Open(inode, other_)), Code::kStaleHandle);
  Commit(inode, session_, 10);
  EXPECT_EQ(Close(inode, other_), Code::kOk);
  EXPECT_THAT(Orphan(inode)->holders(), ElementsAre(session_));
  EXPECT_EQ(Close(inode, session_), Code::kOk);
  EXPECT_TRUE(Orphan(inode)->holders().empty());  // for the reaper
}

TEST_F(MetadataRemovalsTest, RuleC11ACloseThatMeetsAnUnlinkLeavesNoHolder) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  Close(inode, session_);
  ASSERT_TRUE(Open(inode, session_, O_RDONLY).has_value());
  log_->Hold();
  Send(v1::METADATA_UNLINK, UnlinkOf("x", other_));
  v1::CloseRequest close = CloseOf(inode, session_);
  close.clear_extended();
  // The orphan row is not there yet.
  EXPECT_TRUE(Ask<v1::CloseResponse>(v1::METADATA_CLOSE, close).has_value());
  log_->Release();
  EXPECT_FALSE(Exists(inode));
}

TEST_F(MetadataRemovalsTest, RuleL5ACloseThatMeetsAnUnlinkEndsFirstWhatItExtended) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  log_->Hold();
  Send(v1::METADATA_UNLINK, UnlinkOf("x", other_));
  const auto close = Send(v1::METADATA_CLOSE, CloseOf(inode, session_));
  log_->Release();
  EXPECT_TRUE(close->Answer<v1::CloseResponse>().has_value());
  EXPECT_FALSE(Exists(inode));  // nothing was written, and nothing has to be looked for
}

TEST_F(MetadataRemovalsTest, RuleC11AnotherVictimThanExpectedFreesItsStrangers) {
  Create("x", session_);
  const uint64_t second = Create("y", session_).attributes().inode();
  Close(second, session_);
  v1::RenameRequest rename;
  *rename.mutable_id() = NextId(session_);
  rename.set_parent(1);
  rename.set_name("y");
  rename.set_new_parent(1);
  rename.set_new_name("x");
  log_->Hold();
  Send(v1::METADATA_RENAME, rename);
  Send(v1::METADATA_UNLINK, UnlinkOf("x", other_));  // looked up the first file
  log_->Release();
  EXPECT_FALSE(Exists(second));
}

}  // namespace

}  // namespace cairn::testing

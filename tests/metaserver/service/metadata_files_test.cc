#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataFilesTest : public ServiceTest {
 protected:
  uint64_t session_ = OpenSession("mount");
  uint64_t other_ = OpenSession("other");
};

TEST_F(MetadataFilesTest, CreateIsLookupCreateAndOpenInOne) {
  const v1::EntryResponse entry = Create("x", session_);
  EXPECT_TRUE(entry.created());
  EXPECT_EQ(entry.attributes().mode(), 0100644u);
  EXPECT_EQ(entry.file().layout().chunk_size(), kDefaultChunkSize);
  EXPECT_EQ(sessions_->OpenFiles(SessionId(session_)), 1u);
  const auto again = Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", other_));
  EXPECT_FALSE(again->created());
  EXPECT_EQ(again->attributes().inode(), entry.attributes().inode());
  EXPECT_EQ(sessions_->OpenFiles(SessionId(other_)), 1u);
  EXPECT_EQ(
      CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", other_, O_RDWR | O_EXCL))),
      Code::kExists);
}

TEST_F(MetadataFilesTest, RuleM3ARetriedCreateHearsOfItsOwnSuccess) {
  v1::CreateRequest request = CreateOf("x", session_, O_RDWR | O_EXCL);
  request.set_mode(0);  // nobody could open it
  ASSERT_TRUE(Ask<v1::EntryResponse>(v1::METADATA_CREATE, request)->created());
  const auto again = Ask<v1::EntryResponse>(v1::METADATA_CREATE, request);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->created());
}

TEST_F(MetadataFilesTest, RuleM1ARestartNeverGivesAnInodeIdAgain) {
  const uint64_t before = Create("a", session_).attributes().inode();
  Restart();
  EXPECT_GT(Create("b", session_).attributes().inode(), before);
}

TEST_F(MetadataFilesTest, CreateTruncatesWhatIsThere) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  Commit(inode, session_, 100);
  const auto entry =
      Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", other_, O_RDWR | O_TRUNC));
  EXPECT_EQ(entry->attributes().size(), 0u);
  EXPECT_EQ(entry->file().cuts_size(), 1);
  Commit(inode, session_, 50);  // written before the cut, committed late
  EXPECT_EQ(Lookup("x")->attributes().size(), 0u);
}

TEST_F(MetadataFilesTest, TwoCreatesOfOneNameMeetInTheLog) {
  log_->Hold();
  const auto first = Send(v1::METADATA_CREATE, CreateOf("x", session_));
  const auto second = Send(v1::METADATA_CREATE, CreateOf("x", other_));
  log_->Release();
  EXPECT_TRUE(first->Answer<v1::EntryResponse>()->created());
  ASSERT_TRUE(second->Answer<v1::EntryResponse>().has_value());
  EXPECT_FALSE(second->Answer<v1::EntryResponse>()->created());
  EXPECT_EQ(sessions_->OpenFiles(SessionId(other_)), 1u);
}

TEST_F(MetadataFilesTest, RuleL5ExtendIsAnsweredWithTheFileAndEndedByClose) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  v1::ExtendRequest request;
  *request.mutable_id() = NextId(other_);
  request.set_inode(inode);
  request.mutable_chunks()->set_count(1);
  const auto entry = Ask<v1::EntryResponse>(v1::METADATA_EXTEND, request);
  EXPECT_EQ(entry->attributes().inode(), inode);
  EXPECT_THAT(Extenders(inode), ::testing::ElementsAre(session_, other_));
  EXPECT_EQ(Close(inode, session_), Code::kOk);
  EXPECT_EQ(Close(inode, other_), Code::kOk);
  EXPECT_THAT(Extenders(inode), ::testing::IsEmpty());
  EXPECT_EQ(Lookup("x")->file().cuts_size(), 0);
}

TEST_F(MetadataFilesTest, RuleM3ALateCloseDoesNotEndALaterExtend) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  const v1::CloseRequest close = CloseOf(inode, session_);
  ASSERT_TRUE(Ask<v1::CloseResponse>(v1::METADATA_CLOSE, close).has_value());
  ASSERT_TRUE(Open(inode, session_).has_value());
  v1::ExtendRequest request;
  *request.mutable_id() = NextId(session_);
  request.mutable_id()->set_lowest_unanswered(request.id().sequence());
  request.set_inode(inode);
  request.mutable_chunks()->set_count(1);
  ASSERT_TRUE(Ask<v1::EntryResponse>(v1::METADATA_EXTEND, request).has_value());
  EXPECT_EQ(CodeOf(Ask<v1::CloseResponse>(v1::METADATA_CLOSE, close)), Code::kStaleRequest);
  EXPECT_THAT(Extenders(inode), ::testing::ElementsAre(session_));
}

TEST_F(MetadataFilesTest, ACloseThatEndsNeedsANumber) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  v1::CloseRequest request = CloseOf(inode, session_);
  request.clear_end_id();
  EXPECT_EQ(CodeOf(Ask<v1::CloseResponse>(v1::METADATA_CLOSE, request)), Code::kInvalidArgument);
}

TEST_F(MetadataFilesTest, RuleC11AnOpenThatMeetsAnUnlinkWaitsForIt) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  Close(inode, session_);
  log_->Hold();
  const auto unlink = Send(v1::METADATA_UNLINK, UnlinkOf("x", other_));
  v1::OpenRequest open;
  *open.mutable_id() = NextId(session_);
  open.set_inode(inode);
  const auto opened = Send(v1::METADATA_OPEN, open);
  EXPECT_FALSE(opened->answered());
  log_->Release();
  EXPECT_FALSE(unlink->Answer<v1::RemovedResponse>()->still_open());
  EXPECT_EQ(CodeOf(opened->Answer<v1::EntryResponse>()), Code::kStaleHandle);
  EXPECT_EQ(sessions_->OpenFiles(SessionId(session_)), 0u);
}

TEST_F(MetadataFilesTest, OpenChecksRightsAndTypes) {
  v1::OpenRequest open;
  *open.mutable_id() = NextId(session_);
  open.set_inode(1);
  open.set_flags(O_WRONLY);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)), Code::kIsDirectory);
  open.set_inode(Create("x", session_).attributes().inode());
  open.mutable_caller()->set_uid(7);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)), Code::kAccessDenied);
  open.set_inode(4711);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)), Code::kStaleHandle);
  EXPECT_EQ(CodeOf(Open(1, 99)), Code::kUnknownSession);
}

}  // namespace

}  // namespace cairn::testing

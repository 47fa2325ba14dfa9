#include <fcntl.h>

#include "metaserver/operations/access.h"
#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataServiceTest : public ServiceTest {};

TEST_F(MetadataServiceTest, AUserOnTheSocketSpeaksForNobodyElse) {
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  v1::LookupRequest lookup;
  lookup.set_parent(1);
  lookup.set_name("x");
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kPermission);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", 0))),
            Code::kPermission);
  lookup.mutable_caller()->set_uid(54321);
  lookup.mutable_caller()->set_gid(0);  // as the peer's
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kNotFound);
  peer_.uid = 0;
  lookup.mutable_caller()->set_uid(7);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kNotFound);
}

TEST_F(MetadataServiceTest, AUserOnTheSocketUsesOnlySessionsOfItsOwn) {
  const uint64_t roots = OpenSession("root's");
  const uint64_t inode = Create("x", roots).attributes().inode();
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  const uint64_t own = OpenSession("own");
  v1::CloseSessionRequest close;
  close.set_session(roots);
  EXPECT_EQ(CodeOf(Ask<v1::CloseSessionResponse>(v1::METADATA_CLOSE_SESSION, close)),
            Code::kUnknownSession);
  v1::CommitWriteRequest commit;
  *commit.mutable_id() = NextId(roots);
  commit.set_inode(inode);
  commit.set_end(100);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, commit)),
            Code::kUnknownSession);
  *commit.mutable_id() = NextId(own);  // which has not opened the file
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, commit)), Code::kPermission);
  EXPECT_EQ(Close(inode, own), Code::kOk);
  v1::OpenSessionRequest stolen;
  stolen.set_client_id("root's");
  EXPECT_EQ(CodeOf(Ask<v1::OpenSessionResponse>(v1::METADATA_OPEN_SESSION, stolen)),
            Code::kPermission);
  Restart();
  EXPECT_EQ(Close(inode, roots), Code::kUnknownSession);
  EXPECT_EQ(Close(inode, own), Code::kOk);
}

TEST_F(MetadataServiceTest, AUserWhoOpenedAFileToReadCommitsAndAnnouncesNothing) {
  tokens_->RotateIfDue();
  v1::CreateRequest create = CreateOf("x", OpenSession("root's"));
  create.set_mode(0644);
  const auto made = Ask<v1::EntryResponse>(v1::METADATA_CREATE, create);
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  const uint64_t own = OpenSession("own");
  v1::OpenRequest open;
  *open.mutable_id() = NextId(own);
  open.mutable_caller()->set_uid(54321);
  open.set_inode(made->attributes().inode());
  open.set_flags(O_RDONLY);
  const auto opened = Ask<v1::EntryResponse>(v1::METADATA_OPEN, open);
  ASSERT_TRUE(opened.has_value());
  v1::CommitWriteRequest commit;
  commit.set_inode(open.inode());
  commit.set_end(100);
  v1::ExtendRequest extend;
  extend.set_inode(open.inode());
  extend.mutable_chunks()->set_count(1);
  for (const std::string& token : {std::string(), opened->token(), made->token()}) {
    *commit.mutable_id() = NextId(own);
    commit.set_token(token);
    EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, commit)), Code::kPermission);
    *extend.mutable_id() = NextId(own);
    extend.set_token(token);
    EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_EXTEND, extend)), Code::kPermission);
  }
}

TEST_F(MetadataServiceTest, AUserWhoMayWriteCommitsAndAnnouncesItsOwn) {
  tokens_->RotateIfDue();
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 0;
  v1::CreateRequest create = CreateOf("x", OpenSession("root's"));
  create.set_mode(0666);
  const uint64_t inode = Ask<v1::EntryResponse>(v1::METADATA_CREATE, create)->attributes().inode();
  peer_.uid = 54321;
  const uint64_t own = OpenSession("own");
  v1::OpenRequest open;
  *open.mutable_id() = NextId(own);
  open.mutable_caller()->set_uid(54321);
  open.set_inode(inode);
  open.set_flags(O_WRONLY);
  v1::ExtendRequest extend;
  *extend.mutable_id() = NextId(own);
  extend.set_inode(inode);
  extend.mutable_chunks()->set_count(1);
  extend.set_token(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)->token());
  EXPECT_TRUE(Ask<v1::EntryResponse>(v1::METADATA_EXTEND, extend).has_value());
  v1::CommitWriteRequest commit;
  *commit.mutable_id() = NextId(own);
  commit.set_inode(inode);
  commit.set_end(100);
  commit.set_token(extend.token());
  EXPECT_EQ(Ask<v1::EntryResponse>(v1::METADATA_COMMIT_WRITE, commit)->attributes().size(), 100u);
}

TEST_F(MetadataServiceTest, AUserSeesNoBytesOfWhatItMayOnlyRun) {
  v1::CreateRequest create = CreateOf("x", 0);
  create.set_mode(0711);
  v1::OpenRequest open;
  open.set_inode(Ask<v1::EntryResponse>(v1::METADATA_CREATE, create)->attributes().inode());
  open.mutable_caller()->set_uid(54321);
  open.set_flags(O_RDONLY | kOpenToExecute);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)), Code::kOk);
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_OPEN, open)), Code::kAccessDenied);
}

TEST_F(MetadataServiceTest, OnlyATrustedPeersWordCountsForWhatWasCheckedAtOpen) {
  const uint64_t inode = Create("x", 0).attributes().inode();
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  v1::SetAttributesRequest cut;
  cut.mutable_caller()->set_uid(54321);
  cut.set_inode(inode);
  cut.set_size(0);
  cut.set_by_open_handle(true);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_SET_ATTRIBUTES, cut)), Code::kAccessDenied);
}

}  // namespace

}  // namespace cairn::testing

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

TEST_F(MetadataServiceTest, OnlyATrustedPeersWordCountsForWhatWasCheckedAtOpen) {
  const uint64_t inode = Create("x", 0).attributes().inode();
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  v1::SetAttributesRequest cut;
  cut.mutable_caller()->set_uid(54321);
  cut.set_inode(inode);
  cut.set_size(0);
  cut.set_by_open_handle(true);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_SET_ATTRIBUTES, cut)),
            Code::kAccessDenied);
}

}  // namespace

}  // namespace cairn::testing

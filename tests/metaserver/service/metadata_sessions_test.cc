#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataSessionsTest : public ServiceTest {
 protected:
  Result<v1::RenewSessionResponse> Renew(uint64_t session) {
    v1::RenewSessionRequest request;
    request.set_session(session);
    return Ask<v1::RenewSessionResponse>(v1::METADATA_RENEW_SESSION, request);
  }

  uint64_t session_ = OpenSession("mount");
};

TEST_F(MetadataSessionsTest, ARenewedSessionLivesAndASilentOneEnds) {
  const uint64_t silent = OpenSession("silent");
  const uint64_t inode = Create("x", silent).attributes().inode();
  Unlink("x", session_);
  clock_.Advance(timing::kSessionLife / 2);
  EXPECT_FALSE(Renew(session_)->reclaim());
  clock_.Advance(timing::kSessionLife / 2);
  service_->ExpireSilentSessions();
  EXPECT_TRUE(Renew(session_).has_value());
  EXPECT_EQ(CodeOf(Renew(silent)), Code::kUnknownSession);
  // Nobody knows what it wrote: the chunks are looked for.
  EXPECT_THAT(Orphan(inode)->holders(), ::testing::IsEmpty());
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("y", silent))),
            Code::kUnknownSession);
}

TEST_F(MetadataSessionsTest, MountsAreToldThatADiskIsNearlyFull) {
  EXPECT_FALSE(Renew(session_)->near_full());
  cluster_.near_full = true;
  EXPECT_TRUE(Renew(session_)->near_full());
  v1::OpenSessionRequest request;
  request.set_client_id("new");
  EXPECT_TRUE(Ask<v1::OpenSessionResponse>(v1::METADATA_OPEN_SESSION, request)->near_full());
}

TEST_F(MetadataSessionsTest, RuleL5ASilentSessionsFilesAreCutAtTheirSize) {
  const uint64_t silent = OpenSession("silent");
  const uint64_t inode = Create("x", silent).attributes().inode();
  Commit(inode, silent, 100);
  clock_.Advance(timing::kSessionLife);
  service_->ExpireSilentSessions();
  const auto entry = Lookup("x");
  EXPECT_EQ(entry->attributes().size(), 100u);
  ASSERT_EQ(entry->file().cuts_size(), 1);
  EXPECT_EQ(entry->file().cuts(0).length(), 100u);
}

TEST_F(MetadataSessionsTest, RuleM8AfterARestartASessionIsAskedWhatItHolds) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  Restart();
  EXPECT_TRUE(Renew(session_)->reclaim());
  EXPECT_EQ(OpenSession("mount", {inode}), session_);
  EXPECT_FALSE(Renew(session_)->reclaim());
  EXPECT_TRUE(Unlink("x", session_)->still_open());
}

TEST_F(MetadataSessionsTest, RuleM8BeforeTheReclaimEverySessionMayHoldWhatIsUnlinked) {
  const uint64_t held = Create("held", session_).attributes().inode();
  const uint64_t closed = Create("closed", session_).attributes().inode();
  Close(closed, session_);
  Restart();
  const uint64_t other = OpenSession("other");
  EXPECT_TRUE(Unlink("held", other)->still_open());
  EXPECT_TRUE(Unlink("closed", other)->still_open());
  OpenSession("mount", {held});
  EXPECT_TRUE(Exists(held));
  EXPECT_FALSE(Exists(closed));  // it names the session, which does not hold it
}

TEST_F(MetadataSessionsTest, ClosingASessionLetsGoOfAllItHeld) {
  const uint64_t inode = Create("x", session_).attributes().inode();
  const uint64_t other = OpenSession("other");
  Unlink("x", other);
  v1::CloseSessionRequest close;
  close.set_session(session_);
  EXPECT_TRUE(Ask<v1::CloseSessionResponse>(v1::METADATA_CLOSE_SESSION, close).has_value());
  EXPECT_THAT(Orphan(inode)->holders(), ::testing::IsEmpty());
  EXPECT_EQ(CodeOf(Renew(session_)), Code::kUnknownSession);
}

TEST_F(MetadataSessionsTest, RuleL1OneThatFellSilentIsShutOutAndOneThatClosedItselfIsNot) {
  const uint64_t closed = OpenSession("closed");
  v1::CloseSessionRequest close;
  close.set_session(closed);
  ASSERT_TRUE(Ask<v1::CloseSessionResponse>(v1::METADATA_CLOSE_SESSION, close).has_value());
  EXPECT_EQ((*admission_->Get())->last_fence, 0u);
  clock_.Advance(timing::kSessionLife);
  service_->ExpireSilentSessions();
  const auto admission = *admission_->Get();
  ASSERT_EQ(admission->fences.size(), 1u);
  EXPECT_EQ(admission->fences[0].session(), session_);
}

TEST_F(MetadataSessionsTest, AStoppedMetaserverSaysSo) {
  (void)state_->Stop();
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", session_))),
            Code::kUnavailable);
}

}  // namespace

}  // namespace cairn::testing

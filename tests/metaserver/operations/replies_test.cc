#include "metaserver/operations/replies.h"

#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class RepliesTest : public NamespaceTest {
 protected:
  v1::Command MakeDirectory(const std::string& name, uint64_t sequence, uint64_t lowest) {
    v1::Command command;
    v1::MakeDirectoryRequest& request = *command.mutable_make_directory();
    request.mutable_id()->set_session(session_);
    request.mutable_id()->set_sequence(sequence);
    request.mutable_id()->set_lowest_unanswered(lowest);
    request.set_parent(1);
    request.set_name(name);
    return command;
  }
  v1::Outcome Run(const v1::Command& command) { return fs_.Apply(fs_.Complete(command)); }
  size_t ReplyRows() {
    size_t rows = 0;
    for (const auto& [key, row] : RowsOf(fs_.store())) rows += key[0] == 'R' ? 1 : 0;
    return rows;
  }

  uint64_t session_ = fs_.OpenSession("mount");
};
CAIRN_OVER_BOTH_STORES(RepliesTest);

TEST_P(RepliesTest, RuleM3ARetryHearsOfItsOwnSuccess) {
  const v1::Outcome first = Run(MakeDirectory("a", 1, 1));
  const v1::Outcome again = Run(MakeDirectory("a", 1, 1));
  EXPECT_EQ(Namespace::CodeOf(first), Code::kOk);
  EXPECT_EQ(Namespace::CodeOf(again), Code::kOk);
  EXPECT_FALSE(first.replayed());
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(again.inode(), first.inode());
  EXPECT_TRUE(again.created());
  EXPECT_EQ(fs_.Stat("/").links(), 3u);
}

TEST_P(RepliesTest, RuleM3ARetryHearsOfItsOwnFailure) {
  fs_.MakeDirectory("/a");
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", 1, 1))), Code::kExists);
  fs_.RemoveDirectory("/a");
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", 1, 1))), Code::kExists);
  EXPECT_FALSE(fs_.Exists("/a"));
}

TEST_P(RepliesTest, RuleM3WhatIsAnsweredIsForgottenAndNeverRunAgain) {
  Run(MakeDirectory("a", 1, 1));
  Run(MakeDirectory("b", 2, 1));
  EXPECT_EQ(ReplyRows(), 2u);
  Run(MakeDirectory("c", 3, 3));
  EXPECT_EQ(ReplyRows(), 1u);
  fs_.RemoveDirectory("/a");
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", 1, 1))), Code::kStaleRequest);
  EXPECT_FALSE(fs_.Exists("/a"));
}

TEST_P(RepliesTest, RuleM3AnUnknownSessionRunsNothing) {
  v1::Command command = MakeDirectory("a", 1, 1);
  command.mutable_make_directory()->mutable_id()->set_session(77);
  EXPECT_EQ(Namespace::CodeOf(Run(command)), Code::kUnknownSession);
  EXPECT_FALSE(fs_.Exists("/a"));
}

TEST_P(RepliesTest, RuleM3RepliesEndWithTheirSession) {
  Run(MakeDirectory("a", 1, 1));
  v1::Command close;
  close.mutable_close_session()->set_session(session_);
  EXPECT_EQ(fs_.Run(close), Code::kOk);
  EXPECT_EQ(fs_.Run(close), Code::kOk);
  EXPECT_EQ(ReplyRows(), 0u);
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", 1, 1))), Code::kUnknownSession);
  EXPECT_NE(fs_.OpenSession("mount"), session_);
}

TEST_P(RepliesTest, OutstandingRequestsAreBounded) {
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", 5, 6))), Code::kInvalidArgument);
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", kMaxOutstanding, 0))), Code::kInvalidArgument);
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", UINT64_MAX, UINT64_MAX))),
            Code::kInvalidArgument);
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("a", kMaxOutstanding - 1, 0))), Code::kOk);
}

TEST_P(RepliesTest, BusyIsNoAnswerToKeep) {
  v1::Command create;
  create.mutable_create()->mutable_id()->set_session(session_);
  create.mutable_create()->mutable_id()->set_sequence(1);
  create.mutable_create()->mutable_id()->set_lowest_unanswered(1);
  create.mutable_create()->set_parent(1);
  create.mutable_create()->set_name("x");
  fs_.MakeFile("/x");
  EXPECT_EQ(Namespace::CodeOf(Run(create)), Code::kBusy);
  fs_.Unlink("/x");
  EXPECT_EQ(Namespace::CodeOf(Run(create)), Code::kOk);
}

// A mount's numbers begin anywhere: what lies below was never there and costs nothing.
TEST_P(RepliesTest, AFirstNumberFarAwayErasesOnlyWhatIsThere) {
  Run(MakeDirectory("a", 1, 1));
  EXPECT_EQ(Namespace::CodeOf(Run(MakeDirectory("b", 1'000'000, 1'000'000))), Code::kOk);
  EXPECT_EQ(ReplyRows(), 1u);
}

}  // namespace

}  // namespace cairn::testing

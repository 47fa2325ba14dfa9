#include "tests/metaserver/operations/extending.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EndExtendTest : public ExtendingTest {};
CAIRN_OVER_BOTH_STORES(EndExtendTest);

TEST_P(EndExtendTest, EndExtendEndsItForFilesThatAreThere) {
  fs_.InSession(first_);
  fs_.MakeFile("/new");
  const InodeId gone = fs_.Resolve("/new");
  EXPECT_EQ(fs_.EndExtend("/new"), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/new"), IsEmpty());
  fs_.Unlink("/new");
  v1::Command command;
  command.mutable_end_extend()->set_session(first_);
  command.mutable_end_extend()->add_inodes(gone.value);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
}

TEST_P(EndExtendTest, RuleM3ALateEndDoesNotEndWhatBeganAfterIt) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 4);
  v1::Command end;
  v1::RequestId& id = *end.mutable_end_extend()->mutable_id();
  id.set_session(first_);
  id.set_sequence(2);
  id.set_lowest_unanswered(2);
  end.mutable_end_extend()->set_session(first_);
  end.mutable_end_extend()->add_inodes(fs_.Resolve("/x").value);
  EXPECT_EQ(fs_.Run(end), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/x"), IsEmpty());
  fs_.NextNumber(3);
  fs_.Extend("/x", 2, 4);
  EXPECT_EQ(fs_.Run(end), Code::kStaleRequest);  // the same frame, from a connection long dead
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(first_));
}

TEST_P(EndExtendTest, RuleL5TheCutWaitsForALivingExtenderThatEndsWithoutACommit) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 2);
  fs_.InSession(second_);
  fs_.Extend("/x", 2, 2);
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.EndExtend("/x"), Code::kOk);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", kSize));
}

}  // namespace

}  // namespace cairn::testing

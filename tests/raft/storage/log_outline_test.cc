#include "raft/storage/log_outline.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

LogEntry Membership(uint64_t index, uint64_t term) {
  return {Term(term), LogIndex(index), "members", EntryKind::kMembership};
}

// Entries 5..14: 5-7 of term 1, 8 of term 3, 9-14 of term 4; 6 and 10 change the membership.
class LogOutlineTest : public ::testing::Test {
 protected:
  LogOutlineTest() {
    for (uint64_t index = 5; index <= 14; ++index) {
      const uint64_t term = index <= 7 ? 1 : index == 8 ? 3 : 4;
      const bool changes = index == 6 || index == 10;
      outline_.Add(changes ? Membership(index, term)
                           : LogEntry{Term(term), LogIndex(index), "command"});
    }
  }
  std::string Terms() const {
    std::string text;
    for (const auto& start : outline_.terms()) {
      text += fmt::format("{}:{} ", start.index, start.term);
    }
    return text;
  }
  std::string Memberships() const {
    std::string text;
    for (const LogEntry& entry : outline_.memberships()) text += fmt::format("{} ", entry.index);
    return text;
  }
  LogOutline outline_;
};

TEST_F(LogOutlineTest, KnowsWhereTermsBeginAndWhatChangesTheMembership) {
  EXPECT_EQ(Terms(), "5:1 8:3 9:4 ");
  EXPECT_EQ(Memberships(), "6 10 ");
}

TEST_F(LogOutlineTest, KnowsTheTermOfEachEntryAndOfNoOther) {
  EXPECT_EQ(outline_.TermAt(LogIndex(4)), std::nullopt);
  EXPECT_EQ(outline_.TermAt(LogIndex(5)), Term(1));
  EXPECT_EQ(outline_.TermAt(LogIndex(7)), Term(1));
  EXPECT_EQ(outline_.TermAt(LogIndex(8)), Term(3));
  EXPECT_EQ(outline_.TermAt(LogIndex(14)), Term(4));
  EXPECT_EQ(outline_.TermAt(LogIndex(15)), std::nullopt);
}

TEST_F(LogOutlineTest, ForgetsATail) {
  outline_.ForgetFrom(LogIndex(10));
  EXPECT_EQ(Terms(), "5:1 8:3 9:4 ");
  EXPECT_EQ(Memberships(), "6 ");
  EXPECT_EQ(outline_.TermAt(LogIndex(10)), std::nullopt);
  outline_.ForgetFrom(LogIndex(8));
  EXPECT_EQ(Terms(), "5:1 ");
  outline_.Add(LogEntry{Term(9), LogIndex(8), ""});
  EXPECT_EQ(Terms(), "5:1 8:9 ");
}

TEST_F(LogOutlineTest, ForgetsAHead) {
  outline_.ForgetBelow(LogIndex(7));
  EXPECT_EQ(Terms(), "7:1 8:3 9:4 ");
  EXPECT_EQ(Memberships(), "10 ");
  outline_.ForgetBelow(LogIndex(9));
  EXPECT_EQ(Terms(), "9:4 ");
  outline_.ForgetBelow(LogIndex(14));
  EXPECT_EQ(Terms(), "14:4 ");
  EXPECT_EQ(outline_.TermAt(LogIndex(13)), std::nullopt);
}

TEST_F(LogOutlineTest, ForgetsEverythingFromEitherSide) {
  LogOutline other = outline_;
  outline_.ForgetBelow(LogIndex(15));
  EXPECT_EQ(Terms(), "");
  EXPECT_EQ(outline_.TermAt(LogIndex(14)), std::nullopt);
  other.ForgetFrom(LogIndex(0));
  EXPECT_TRUE(other.terms().empty() && other.memberships().empty());
}

TEST_F(LogOutlineTest, TakesTheOutlineOfTheEntriesBehind) {
  LogOutline next;
  next.Add(LogEntry{Term(4), LogIndex(15), ""});
  next.Add(Membership(16, 5));
  outline_.Add(next);
  EXPECT_EQ(Terms(), "5:1 8:3 9:4 16:5 ");
  EXPECT_EQ(Memberships(), "6 10 16 ");
  EXPECT_EQ(outline_.TermAt(LogIndex(15)), Term(4));
  outline_.Add(LogOutline{});
  EXPECT_EQ(outline_.TermAt(LogIndex(16)), Term(5));
}

}  // namespace
}  // namespace cairn

#include "raft/storage/log_survey.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

using log_format::SegmentHeader;

// Puts segment files together by hand. Entries are of term 1.
class LogSurveyTest : public ::testing::Test {
 protected:
  LogSurveyTest() {
    LogFacts facts;
    facts.incarnation = Incarnation(1);
    facts.hard_state.term = Term(1);
    EXPECT_THAT(SaveLogFacts(files_, LogFactsPath("/log"), facts), IsOk());
  }
  // The `serial`-th segment: entries [first, last].
  void Put(uint32_t serial, uint64_t first, uint64_t last, bool begins_log = false) {
    const SegmentHeader header{LogIndex(first), Incarnation(1), serial, begins_log};
    std::string bytes = log_format::EncodeSegmentHeader(header);
    for (uint64_t index = first; index <= last; ++index) {
      log_format::AppendRecord(EntryAt(index, 1), LogIndex(index - 1),
                               log_format::SegmentSeed(header), bytes);
    }
    bytes.resize(bytes.size() + 200, '\0');
    ASSERT_THAT(ReplaceFile(files_, PathOf(first), bytes), IsOk());
  }
  static std::string PathOf(uint64_t first) { return "/log/" + SegmentName(LogIndex(first)); }
  LogSurvey Survey(uint64_t applied = 0) {
    const std::vector<std::string> before = *files_.List("/log");
    Result<LogSurvey> survey = SurveyLog(files_, "/log", LogIndex(applied), 4096);
    EXPECT_THAT(survey, IsOk());
    EXPECT_EQ(*files_.List("/log"), before);
    return *std::move(survey);
  }
  // "1-10 11-20"
  static std::string Usable(const LogSurvey& survey) {
    std::string text;
    for (const auto& segment : survey.segments) {
      text += fmt::format("{}-{} ", segment->first_index(), segment->last_index());
    }
    return text;
  }

  ForgetfulFiles files_;
};

TEST_F(LogSurveyTest, AnEmptyDirectoryIsANewLog) {
  ASSERT_THAT(files_.Remove("/log/facts"), IsOk());
  const LogSurvey survey = Survey();
  EXPECT_FALSE(survey.findings.facts);
  EXPECT_FALSE(survey.findings.has_segments);
  EXPECT_EQ(survey.findings.first, LogIndex(1));
  EXPECT_EQ(survey.findings.last, LogIndex(0));
  EXPECT_FALSE(survey.spare);
}

TEST_F(LogSurveyTest, FindsAWholeLogAndASpareFile) {
  Put(0, 1, 10, true);
  Put(1, 11, 20);
  ASSERT_THAT(ReplaceFile(files_, LogSparePath("/log"), "old bytes"), IsOk());
  ASSERT_THAT(ReplaceFile(files_, "/log/snapshot", "not ours"), IsOk());
  const LogSurvey survey = Survey();
  EXPECT_EQ(Usable(survey), "1-10 11-20 ");
  EXPECT_EQ(survey.findings.last, LogIndex(20));
  EXPECT_EQ(survey.outline.TermAt(LogIndex(15)), Term(1));
  EXPECT_TRUE(survey.findings.damage.ok());
  EXPECT_TRUE(survey.leftovers.empty());
  EXPECT_TRUE(survey.spare);
}

TEST_F(LogSurveyTest, ANewerSegmentEndsTheLogWhereItBegins) {
  Put(0, 1, 10, true);
  Put(1, 11, 20);
  Put(2, 21, 30);
  Put(3, 15, 14);
  const LogSurvey survey = Survey();
  EXPECT_EQ(Usable(survey), "1-10 11-14 15-14 ");
  EXPECT_TRUE(survey.findings.damage.ok());
  EXPECT_EQ(survey.leftovers, std::vector<std::string>{PathOf(21)});
}

TEST_F(LogSurveyTest, ASegmentThatBeginsTheLogSupersedesAllOlderOnes) {
  Put(0, 1, 10, true);
  Put(1, 11, 20);
  Put(2, 101, 105, true);
  Put(3, 106, 110);
  const LogSurvey survey = Survey();
  EXPECT_EQ(Usable(survey), "101-105 106-110 ");
  EXPECT_EQ(survey.leftovers, (std::vector<std::string>{PathOf(1), PathOf(11)}));
}

TEST_F(LogSurveyTest, ALaterStartsSegmentIsNewer) {
  Put(7, 1, 10, true);
  Put(8, 11, 20);
  const SegmentHeader next_start{LogIndex(6), Incarnation(2), 0};
  ASSERT_THAT(ReplaceFile(files_, PathOf(6), log_format::EncodeSegmentHeader(next_start)), IsOk());
  EXPECT_EQ(Usable(Survey()), "1-5 6-5 ");
}

TEST_F(LogSurveyTest, DamagedHeadersBeforeTheBeginningOfTheLogDoNotMatter) {
  Put(0, 1, 10, true);
  Put(2, 101, 105, true);
  ASSERT_THAT(ReplaceFile(files_, PathOf(1), "nothing"), IsOk());
  const LogSurvey survey = Survey();
  EXPECT_EQ(Usable(survey), "101-105 ");
  EXPECT_TRUE(survey.findings.damage.ok());
}

TEST_F(LogSurveyTest, WhatLiesBehindDamageIsLeftOverButCountsAsSeen) {
  Put(0, 1, 10, true);
  Put(1, 12, 20);
  Put(2, 21, 30);
  const LogSurvey survey = Survey();
  EXPECT_EQ(Usable(survey), "1-10 ");
  EXPECT_TRUE(survey.findings.cut_short);
  EXPECT_EQ(survey.findings.highest, LogIndex(30));
  EXPECT_EQ(survey.leftovers, (std::vector<std::string>{PathOf(12), PathOf(21)}));
}

TEST_F(LogSurveyTest, DamageThatIsAppliedIsSkippedNotCut) {
  Put(0, 1, 10, true);
  Put(1, 12, 20);
  Put(2, 21, 30);
  EXPECT_EQ(Usable(Survey(10)), "1-10 ");
  const LogSurvey survey = Survey(11);
  EXPECT_EQ(Usable(survey), "12-20 21-30 ");
  EXPECT_FALSE(survey.findings.cut_short);
  EXPECT_FALSE(survey.findings.damage.ok());
  EXPECT_EQ(survey.findings.first, LogIndex(12));
  EXPECT_EQ(survey.leftovers, std::vector<std::string>{PathOf(1)});
}

TEST_F(LogSurveyTest, FactsThatAreDamagedAreAnError) {
  ASSERT_THAT(ReplaceFile(files_, "/log/facts", "?"), IsOk());
  EXPECT_THAT(SurveyLog(files_, "/log", LogIndex(0), 4096), StatusIs(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace cairn

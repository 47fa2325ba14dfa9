#include "raft/storage/log_facts.h"

#include <gtest/gtest.h>

#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

TEST(LogFacts, AreReadBackAfterAPowerCut) {
  ForgetfulFiles files;
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", {Incarnation(3), Term(~uint64_t{0}), LogIndex(9)}),
              IsOk());
  std::mt19937_64 random(1);
  files.LosePower(random);
  Result<LogFacts> facts = LoadLogFacts(files, "/d/facts");
  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->incarnation, Incarnation(3));
  EXPECT_EQ(facts->term, Term(~uint64_t{0}));
  EXPECT_EQ(facts->synced, LogIndex(9));
}

TEST(LogFacts, AbsentDamagedAndNewerAreTold) {
  ForgetfulFiles files;
  EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kNotFound));
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", {Incarnation(3), Term(4), LogIndex(9)}), IsOk());
  std::string text = *LoadFile(files, "/d/facts");
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 2);
    ASSERT_THAT(ReplaceFile(files, "/d/facts", damaged), IsOk());
    EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kCorruption)) << at;
  }
}

}  // namespace
}  // namespace cairn

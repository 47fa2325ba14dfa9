#include "raft/storage/log_facts.h"

#include <gtest/gtest.h>

#include "common/crc32c.h"
#include "raft/core/membership.h"
#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

const LogFacts kFacts{Incarnation(3),
                      {Term(~uint64_t{0}), ServerId(2)},
                      LogIndex(9),
                      LogIndex(12),
                      ServerId(7),
                      std::string("\0\xff voters", 9)};

TEST(LogFacts, AreReadBackAfterAPowerCut) {
  ForgetfulFiles files;
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", kFacts), IsOk());
  std::mt19937_64 random(1);
  files.LosePower(random);
  EXPECT_EQ(*LoadLogFacts(files, "/d/facts"), kFacts);
}

TEST(LogFacts, OfANewLogAreReadBack) {
  ForgetfulFiles files;
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", {}), IsOk());
  EXPECT_EQ(*LoadLogFacts(files, "/d/facts"), LogFacts{});
}

// docs/formats/raft_log.md
TEST(LogFacts, TheExampleOfTheDocumentIsTrue) {
  raft::Membership founders;
  founders.voters = {{ServerId(1), "a1"}, {ServerId(2), "a2"}};
  ForgetfulFiles files;
  const LogFacts facts{Incarnation(3), {Term(7), ServerId(2)}, LogIndex(120), LogIndex(0),
                       ServerId(1), Encode(founders)};
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", facts), IsOk());
  EXPECT_EQ(*LoadFile(files, "/d/facts"),
            "cairn-log 2\nincarnation 3\nterm 7\nvote 2\nsynced 120\nlost 0\nself 1\nfounders "
            "010200000001000000020000006131020000000200000061320000000000000000\n"
            "crc32c c3a7770e\n");
}

TEST(LogFacts, AbsentAndDamagedAreTold) {
  ForgetfulFiles files;
  EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kNotFound));
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", kFacts), IsOk());
  const std::string text = *LoadFile(files, "/d/facts");
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 2);
    ASSERT_THAT(ReplaceFile(files, "/d/facts", damaged), IsOk());
    EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kCorruption)) << at;
    ASSERT_THAT(ReplaceFile(files, "/d/facts", text.substr(0, at)), IsOk());
    EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kCorruption)) << at;
  }
}

TEST(LogFacts, AnotherFormatIsRefusedByName) {
  ForgetfulFiles files;
  std::string text = "cairn-log 1\nincarnation 3\nterm 3\nsynced 120\n";
  text += fmt::format("crc32c {:08x}\n", Crc32c(text.data(), text.size()));
  ASSERT_THAT(ReplaceFile(files, "/d/facts", text), IsOk());
  const Result<LogFacts> facts = LoadLogFacts(files, "/d/facts");
  ASSERT_THAT(facts, StatusIs(ErrorCode::kNotSupported));
  EXPECT_NE(facts.error().message().find("format 1"), std::string::npos);
}

TEST(LogFacts, RandomBytesAreNoFacts) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  ForgetfulFiles files;
  ASSERT_THAT(SaveLogFacts(files, "/d/facts", kFacts), IsOk());
  const std::string good = *LoadFile(files, "/d/facts");
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    if (round % 2 == 0) bytes.resize(random() % 300);
    for (uint64_t i = 0; i <= random() % 20 && !bytes.empty(); ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    ASSERT_THAT(ReplaceFile(files, "/d/facts", bytes), IsOk());
    const Result<LogFacts> facts = LoadLogFacts(files, "/d/facts");
    EXPECT_TRUE(!facts.has_value() || bytes == good);
  }
}

TEST(LogFacts, AFileTooLargeIsNoFacts) {
  ForgetfulFiles files;
  ASSERT_THAT(ReplaceFile(files, "/d/facts", std::string(1 << 20, '\n')), IsOk());
  EXPECT_THAT(LoadLogFacts(files, "/d/facts"), StatusIs(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace cairn

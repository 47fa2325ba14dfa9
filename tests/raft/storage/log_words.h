// The words in which tests of the log speak.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "raft/storage/log_storage.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {

// CAIRN_SEED, or a new one; told when the test fails.
inline uint64_t SeedOfThisRun() {
  const char* given = std::getenv("CAIRN_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

inline std::string HexOf(std::string_view bytes) {
  std::string hex;
  for (char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

// The command of an entry tells where it belongs: "c7 ....".
inline LogEntry EntryAt(uint64_t index, uint64_t term, std::string_view tag = "c",
                        size_t command_bytes = 50) {
  LogEntry entry{Term(term), LogIndex(index), fmt::format("{}{} ", tag, index)};
  entry.command.resize(std::max(entry.command.size(), command_bytes), '.');
  return entry;
}

inline std::vector<LogEntry> Entries(uint64_t from, uint64_t through, uint64_t term,
                                     std::string_view tag = "c", size_t command_bytes = 50) {
  std::vector<LogEntry> entries;
  for (uint64_t index = from; index <= through; ++index) {
    entries.push_back(EntryAt(index, term, tag, command_bytes));
  }
  return entries;
}

// Writes entries [from, through], `batch` at a time, of a term that becomes the current one.
inline void WriteEntries(LogStorage& log, uint64_t from, uint64_t through, uint64_t term,
                         std::string_view tag = "c", uint64_t batch = 1,
                         size_t command_bytes = 50) {
  ASSERT_THAT(log.Write(raft::HardState{Term(term), log.hard_state().vote}, {}), IsOk());
  for (; from <= through; from += batch) {
    const uint64_t last = std::min(from + batch - 1, through);
    ASSERT_THAT(log.Write(std::nullopt, Entries(from, last, term, tag, command_bytes)), IsOk());
  }
}

// All that can be read, a little at a time.
inline std::vector<LogEntry> ReadAll(LogStorage& log) {
  std::vector<LogEntry> all;
  for (LogIndex next = log.first_index(); next <= log.last_index();) {
    const Result<std::vector<LogEntry>> some = log.ReadEntries(next, 500);
    EXPECT_THAT(some, IsOk());
    if (!some.has_value()) return all;
    for (const LogEntry& entry : *some) {
      EXPECT_EQ(entry.index, next);
      ++next.value;
      all.push_back(entry);
    }
  }
  return all;
}

}  // namespace cairn

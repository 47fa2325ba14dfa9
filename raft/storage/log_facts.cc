#include "raft/storage/log_facts.h"

#include <cinttypes>
#include <cstdio>

#include "common/crc32c.h"

namespace cairn {

namespace {
std::string Encode(const LogFacts& facts) {
  std::string text = fmt::format("cairn-log 1\nincarnation {}\nterm {}\nsynced {}\n",
                                 facts.incarnation, facts.term, facts.synced);
  return text + fmt::format("crc32c {:08x}\n", Crc32c(text.data(), text.size()));
}
}  // namespace

Result<LogFacts> LoadLogFacts(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, LoadFile(files, path));
  LogFacts facts;
  int fields = std::sscanf(
      text.c_str(), "cairn-log 1\nincarnation %" SCNu64 "\nterm %" SCNu64 "\nsynced %" SCNu64,
      &facts.incarnation.value, &facts.term.value, &facts.synced.value);
  // Written again it must be the same bytes: that checks the checksum and every blank.
  if (fields != 3 || text != Encode(facts)) {
    return Fail(ErrorCode::kCorruption, "{}: damaged, or of an unknown version", path);
  }
  return facts;
}

Status SaveLogFacts(FileSystem& files, const std::string& path, const LogFacts& facts) {
  return ReplaceFile(files, path, Encode(facts));
}

}  // namespace cairn

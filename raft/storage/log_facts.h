// What a log knows about itself apart from its entries, in one small file that is replaced whole
// (docs/formats/raft_log.md).
#pragma once

#include <string>

#include "common/file.h"
#include "common/ids.h"
#include "raft/core/ready.h"

namespace cairn {

struct LogFacts {
  Incarnation incarnation;      // starts so far (rule M4)
  raft::HardState hard_state;   // term and vote (rule M4)
  LogIndex synced;              // entries up to here were on disk when the file was written
  // Entries up to here were once on this disk, those that the log does not have are lost and must
  // be fetched again before this member votes (rule M5). 0: nothing is lost.
  LogIndex lost;
  ServerId self;                // who this log belongs to; 0: nobody yet
  std::string founders;         // the encoded membership the group was born with; may be empty

  friend bool operator==(const LogFacts&, const LogFacts&) = default;
};

inline constexpr size_t kMaxFoundersBytes = 64u << 10;

// kNotFound: a new directory. kNotSupported: another format, which is named. kCorruption: the file
// does not parse or match its checksum.
Result<LogFacts> LoadLogFacts(FileSystem& files, const std::string& path);
// Written aside, synced, renamed, directory synced: durable on return. kNoSpace: the file is as
// before. kDiskFailed: a sync failed, the disk must not be trusted again.
Status SaveLogFacts(FileSystem& files, const std::string& path, const LogFacts& facts);

}  // namespace cairn

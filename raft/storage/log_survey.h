// What a log directory holds, looked at without changing it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/file.h"
#include "raft/storage/log_facts.h"
#include "raft/storage/log_outline.h"
#include "raft/storage/log_segment.h"

namespace cairn {

// What a plan of recovery is made from.
struct LogFindings {
  std::optional<LogFacts> facts;  // none: a new directory
  bool has_segments = false;      // there are segment files, good or not
  // The usable log: good entries without gaps.
  LogIndex first{1};
  LogIndex last;  // first - 1: no entries
  // Not ok: something that was on disk is bad or gone; names the first such file and offset.
  Status damage;
  // The usable log ends at damage. False with damage that lies before it, in entries that are
  // applied: nothing that is needed is lost.
  bool cut_short = false;
  // Of all entries that are or ever were here, as far as it can be known; never too low unless
  // damage has left no trace.
  LogIndex highest;
};

struct LogSurvey {
  LogFindings findings;
  std::vector<std::unique_ptr<LogSegment>> segments;  // of the usable log, oldest first
  LogOutline outline;                                 // of the usable log
  std::vector<std::string> leftovers;  // other segment files, oldest first: paths
  std::optional<SpareFile> spare;
};

// `applied`: entries up to here have been acted on, so they were on disk. kIoError: the disk cannot
// be read. What is damaged is no error but a finding; only facts must be whole.
Result<LogSurvey> SurveyLog(FileSystem& files, const std::string& directory, LogIndex applied,
                            size_t segment_bytes);

// Names in a log directory.
std::string LogFactsPath(const std::string& directory);
std::string LogSparePath(const std::string& directory);

}  // namespace cairn

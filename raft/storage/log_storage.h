// The log of one member on disk: segments of records, oldest first, and the facts file. It appends,
// reads and forgets; it knows nothing of leaders or of what commands mean.
// Confined to one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/file.h"
#include "raft/storage/log_facts.h"
#include "raft/storage/log_segment.h"

namespace cairn {

struct LogStorageOptions {
  size_t segment_bytes = 16u << 20;
};

class LogStorage {
 public:
  // Takes a new durable incarnation and term (rule M4), checks every record and cuts a torn tail;
  // what is left is on disk. `applied` is the index the caller has acted on, which therefore was
  // on disk. kCorruption: entries that were on disk are damaged or gone (rule M5); names the
  // file and the offset. `files` must outlive the object.
  static Result<std::unique_ptr<LogStorage>> Open(const std::string& directory, FileSystem& files,
                                                  LogIndex applied,
                                                  const LogStorageOptions& options);

  // All entries with one write and one fdatasync; on disk on return. kNoSpace: none of them is in
  // the log, a later call may succeed. kDiskFailed: now and for ever, nothing is appended any more.
  // REQUIRES: indexes follow last_index(), terms never fall, commands <= kMaxCommandBytes.
  Status Append(std::span<const LogEntry> entries);

  // Entries from `from` on, at least one, about `max_bytes` together.
  // REQUIRES: first_index() <= from <= last_index()
  Result<std::vector<LogEntry>> Read(LogIndex from, size_t max_bytes);

  // Forgets segments that lie wholly at or below `through`; the newest one stays.
  Status Compact(LogIndex through);

  // Notes in the facts file how far the log reaches, so that a missing tail will be noticed.
  Status Close();

  LogIndex first_index() const { return segments_.front()->first_index(); }
  LogIndex last_index() const { return segments_.back()->last_index(); }
  Term term() const { return facts_.term; }
  Incarnation incarnation() const { return facts_.incarnation; }
  size_t segment_count() const { return segments_.size(); }

 private:
  LogStorage(std::string directory, FileSystem& files, const LogStorageOptions& options)
      : directory_(std::move(directory)), files_(files), options_(options) {}

  Status Recover(LogIndex applied);
  // True when the directory holds a log; false when it is new.
  Result<bool> LoadFacts(bool has_segments);
  Status LoadSegments(const std::vector<LogIndex>& first_indexes, LogIndex synced);
  Result<std::vector<LogIndex>> ListSegments();
  Status AddSegment(LogIndex first, size_t batch_bytes);
  Status Retire(const LogSegment& segment);
  std::string FactsPath() const { return directory_ + "/facts"; }

  std::string directory_;
  FileSystem& files_;
  LogStorageOptions options_;
  LogFacts facts_;
  std::vector<std::unique_ptr<LogSegment>> segments_;
  std::optional<SpareFile> spare_;
  Status failure_;  // kDiskFailed once the disk was caught out
};

}  // namespace cairn

// One file of the log: a header and records with consecutive indexes. The file is preallocated and
// its pages are written ahead of the records, so that an append is one fdatasync that changes no
// metadata. Confined to one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "raft/storage/log_format.h"

namespace cairn {

// A file of the right size that holds nothing worth keeping.
struct SpareFile {
  std::string path;
  size_t written_bytes = 0;  // from its start; what lies behind was reserved but never written
};

class LogSegment {
 public:
  // Turns `spare` (a name that need not exist) into the segment `directory`/<first index>.log.
  // Durable on return, its name too. kNoSpace: no room; the directory is as before.
  static Result<std::unique_ptr<LogSegment>> Create(FileSystem& files,
                                                    const std::string& directory,
                                                    const SpareFile& spare,
                                                    const log_format::SegmentHeader& header,
                                                    size_t capacity_bytes);

  // What tells damage from a torn tail (rule M5).
  struct Expectation {
    LogIndex first;                 // as the file's name says
    std::optional<LogIndex> next;   // first index of the segment behind this one
    LogIndex synced;                // known to have been on disk
  };
  // Reads and checks every record. What follows the last good one stays until Cut().
  // kCorruption: a record that was on disk is bad or absent; names file and offset.
  static Result<std::unique_ptr<LogSegment>> Load(FileSystem& files, const std::string& path,
                                                  const Expectation& expected,
                                                  size_t capacity_bytes);

  // One write and one fdatasync. `records` were made by AppendRecord with seed(), one per offset.
  // kNoSpace: nothing was appended, the tail is cut back and durable. kDiskFailed: the file must
  // not be used any more.
  // REQUIRES: Fits(records.size())
  Status Append(std::string records, const std::vector<size_t>& offsets);
  bool Fits(size_t bytes) const { return end_ + bytes <= capacity_bytes_; }

  // Removes what follows the last good record, so that nothing of it can ever be read as a record
  // behind a new one. Everything in the segment is on disk on return.
  Status Cut();

  // Entries from `from` on, at least one, then as long as they are within `max_bytes` together.
  // REQUIRES: first_index() <= from <= last_index()
  Result<std::vector<LogEntry>> Read(LogIndex from, size_t max_bytes);

  LogIndex first_index() const { return header_.first_index; }
  LogIndex last_index() const { return LogIndex(first_index().value + count_ - 1); }
  Term last_term() const { return last_term_; }  // of the last record found by Load()
  uint32_t seed() const { return log_format::SegmentSeed(header_); }
  size_t capacity_bytes() const { return capacity_bytes_; }
  size_t written_bytes() const { return written_; }
  const std::string& path() const { return path_; }

 private:
  LogSegment(std::unique_ptr<File> file, std::string path, const log_format::SegmentHeader& header,
             size_t capacity_bytes)
      : file_(std::move(file)), path_(std::move(path)), header_(header),
        capacity_bytes_(capacity_bytes) {}

  Status Scan(std::string_view bytes, const Expectation& expected);
  // True when a good record behind `at` says that `index` was on disk before it was written.
  bool ProvenSynced(std::string_view bytes, size_t at, LogIndex index) const;
  void Remember(size_t offset);

  std::unique_ptr<File> file_;
  std::string path_;
  log_format::SegmentHeader header_;
  size_t capacity_bytes_;
  size_t end_ = log_format::kSegmentHeaderBytes;  // behind the last record
  size_t written_ = 0;                            // pages up to here have been written before
  uint64_t count_ = 0;
  Term last_term_;
  std::vector<size_t> marks_;  // offset of every kMarkEvery-th record
};

std::string SegmentName(LogIndex first_index);
std::optional<LogIndex> ParseSegmentName(std::string_view name);

}  // namespace cairn

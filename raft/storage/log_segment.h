// One file of the log: a header and records with consecutive indexes. The file is preallocated and
// its pages are written ahead of the records, so that an append is one fdatasync that changes no
// metadata. Read and Find may be called by any thread, beside the one that does everything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "raft/storage/log_format.h"
#include "raft/storage/segment_scan.h"

namespace cairn {

// A file of the right size that holds nothing worth keeping.
struct SpareFile {
  std::string path;
  size_t written_bytes = 0;  // from its start; what lies behind was reserved but never written
};

class LogSegment {
 public:
  // Turns `spare` (a name that need not exist) into the segment `directory`/<first index>.log, in
  // the place of one that has this name. Durable on return, its name too. kNoSpace: no room; the
  // log is as before.
  static Result<std::unique_ptr<LogSegment>> Create(FileSystem& files,
                                                    const std::string& directory,
                                                    const SpareFile& spare,
                                                    const log_format::SegmentHeader& header,
                                                    size_t capacity_bytes);

  struct Loaded;
  // Reads and checks every record. What follows the last good one stays until Cut().
  // kCorruption: the header is damaged, or not that of a segment with this name.
  static Result<Loaded> Load(FileSystem& files, const std::string& path, LogIndex first_index,
                             const ScanLimits& limits, size_t capacity_bytes);

  // One write and one fdatasync. `records` were made by AppendRecord with seed(), one per offset.
  // kNoSpace: nothing was appended, the tail is cut back and durable. kDiskFailed: the file must
  // not be used any more.
  // REQUIRES: Fits(records.size())
  Status Append(std::string records, const std::vector<uint32_t>& offsets);
  bool Fits(size_t bytes) const;

  // Removes what follows the last good record, so that nothing of it can ever be read as a record
  // behind a new one. Everything in the segment is on disk on return.
  Status Cut();
  // Everything in the segment is on disk on return.
  Status Sync();

  // The entries from `index` on are superseded by a segment that begins there. The file stays as it
  // is: nobody appends to it any more, and a reader may still be at them.
  void ForgetFrom(LogIndex index);

  // Where some consecutive entries lie.
  struct Range {
    LogIndex first;
    size_t count = 0;
    size_t begin = 0;  // offsets in the file
    size_t end = 0;
  };
  // The entries from `from` on whose records have at most `max_bytes` together, but at least
  // `at_least` of them (0 or 1).
  // REQUIRES: first_index() <= from <= last_index()
  Range Find(LogIndex from, size_t max_bytes, size_t at_least) const;
  Result<std::vector<LogEntry>> Read(const Range& range) const;

  LogIndex first_index() const { return header_.first_index; }
  LogIndex last_index() const;
  uint32_t seed() const { return log_format::SegmentSeed(header_); }
  size_t capacity_bytes() const { return capacity_bytes_; }
  size_t written_bytes() const { return written_; }
  const std::string& path() const { return path_; }

 private:
  LogSegment(std::unique_ptr<File> file, std::string path, const log_format::SegmentHeader& header,
             size_t capacity_bytes)
      : file_(std::move(file)), path_(std::move(path)), header_(header),
        capacity_bytes_(capacity_bytes) {}

  void Adopt(std::vector<uint32_t> offsets, size_t end_bytes);
  size_t end() const;
  Status WriteAhead(std::string records);
  LogIndex LastIndex() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<File> file_;
  const std::string path_;
  const log_format::SegmentHeader header_;
  const size_t capacity_bytes_;
  size_t written_ = 0;  // pages up to here have been written before

  mutable absl::Mutex mu_;  // not held while the disk is at work
  std::vector<uint32_t> offsets_ ABSL_GUARDED_BY(mu_);  // of each record
  size_t end_ ABSL_GUARDED_BY(mu_) = log_format::kSegmentHeaderBytes;  // behind the last record
};

struct LogSegment::Loaded {
  std::unique_ptr<LogSegment> segment;
  LogOutline outline;
  // The entry behind last_index() was on disk and is bad; it begins at this offset (rule M5).
  std::optional<size_t> damaged_at;
};

std::string SegmentName(LogIndex first_index);
std::optional<LogIndex> ParseSegmentName(std::string_view name);
// The bytes of a segment file. kCorruption: it is larger than any segment.
Result<std::string> LoadSegmentBytes(FileSystem& files, const std::string& path);

}  // namespace cairn

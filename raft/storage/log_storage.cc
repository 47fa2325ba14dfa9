#include "raft/storage/log_storage.h"

#include <algorithm>

namespace cairn {

namespace {
constexpr std::string_view kSpareName = "spare.tmp";

std::string ParentOf(const std::string& directory) {
  size_t slash = directory.find_last_not_of('/');
  slash = directory.rfind('/', slash);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

Status AppendTo(LogSegment& segment, std::span<const LogEntry> entries, LogIndex synced) {
  std::string records;
  std::vector<size_t> offsets;
  for (const LogEntry& entry : entries) {
    CAIRN_CHECK(entry.index.value == synced.value + offsets.size() + 1);
    CAIRN_CHECK(entry.command.size() <= log_format::kMaxCommandBytes);
    offsets.push_back(records.size());
    log_format::AppendRecord(entry, synced, segment.seed(), records);
  }
  return segment.Append(std::move(records), offsets);
}
}  // namespace

Result<std::unique_ptr<LogStorage>> LogStorage::Open(const std::string& directory,
                                                     FileSystem& files, LogIndex applied,
                                                     const LogStorageOptions& options) {
  std::unique_ptr<LogStorage> storage(new LogStorage(directory, files, options));
  RETURN_IF_ERROR(storage->Recover(applied));
  return storage;
}

Status LogStorage::Recover(LogIndex applied) {
  RETURN_IF_ERROR(files_.MakeDirectory(directory_));
  ASSIGN_OR_RETURN(std::vector<LogIndex> first_indexes, ListSegments());
  ASSIGN_OR_RETURN(bool existed, LoadFacts(!first_indexes.empty()));
  if (!existed) RETURN_IF_ERROR(files_.SyncDirectory(ParentOf(directory_)));
  RETURN_IF_ERROR(LoadSegments(first_indexes, std::max(facts_.synced, applied)));
  // A term is led once: whoever appends after this start does so under a number of its own.
  ++facts_.incarnation.value;
  ++facts_.term.value;
  facts_.synced = segments_.empty() ? LogIndex(0) : last_index();
  RETURN_IF_ERROR(SaveLogFacts(files_, FactsPath(), facts_));
  return segments_.empty() ? AddSegment(LogIndex(1), 0) : OkStatus();
}

Result<bool> LogStorage::LoadFacts(bool has_segments) {
  Result<LogFacts> facts = LoadLogFacts(files_, FactsPath());
  if (facts.has_value()) {
    facts_ = *facts;
    return true;
  }
  if (facts.error().code() != ErrorCode::kNotFound) return Fail(facts.error());
  if (!has_segments) return false;
  return Fail(ErrorCode::kCorruption, "{} is gone, the log beside it is not", FactsPath());
}

Result<std::vector<LogIndex>> LogStorage::ListSegments() {
  ASSIGN_OR_RETURN(std::vector<std::string> names, files_.List(directory_));
  std::vector<LogIndex> first_indexes;
  for (const std::string& name : names) {
    std::string path = directory_ + "/" + name;
    if (std::optional<LogIndex> first = ParseSegmentName(name)) {
      first_indexes.push_back(*first);
    } else if (name == kSpareName) {
      spare_ = SpareFile{path, 0};
    } else if (name.ends_with(".tmp")) {
      RETURN_IF_ERROR(files_.Remove(path));  // a facts file that a crash left half-made
    }
  }
  return first_indexes;  // names have a fixed width, so they are in order
}

Status LogStorage::LoadSegments(const std::vector<LogIndex>& first_indexes, LogIndex synced) {
  for (size_t i = 0; i < first_indexes.size(); ++i) {
    LogSegment::Expectation expected{first_indexes[i], std::nullopt, synced};
    if (i + 1 < first_indexes.size()) expected.next = first_indexes[i + 1];
    std::string path = directory_ + "/" + SegmentName(expected.first);
    ASSIGN_OR_RETURN(std::unique_ptr<LogSegment> segment,
                     LogSegment::Load(files_, path, expected, options_.segment_bytes));
    segments_.push_back(std::move(segment));
  }
  LogIndex last = segments_.empty() ? LogIndex(0) : last_index();
  if (last < synced) {
    return Status::Error(ErrorCode::kCorruption,
                         "{}: the log ends at {}, entries up to {} are gone", directory_, last,
                         synced);
  }
  if (segments_.empty()) return OkStatus();
  facts_.term = std::max(facts_.term, segments_.back()->last_term());
  return segments_.back()->Cut();
}

Status LogStorage::AddSegment(LogIndex first, size_t batch_bytes) {
  SpareFile spare = spare_.value_or(SpareFile{directory_ + "/" + std::string(kSpareName), 0});
  size_t capacity = std::max(options_.segment_bytes, log_format::kSegmentHeaderBytes + batch_bytes);
  spare_.reset();
  ASSIGN_OR_RETURN(std::unique_ptr<LogSegment> segment,
                   LogSegment::Create(files_, directory_, spare, {first, facts_.incarnation},
                                      capacity));
  segments_.push_back(std::move(segment));
  return OkStatus();
}

Status LogStorage::Append(std::span<const LogEntry> entries) {
  RETURN_IF_ERROR(failure_);
  const LogIndex synced = last_index();
  size_t bytes = 0;
  for (const LogEntry& entry : entries) bytes += log_format::RecordBytes(entry.command.size());
  Status status;
  if (!segments_.back()->Fits(bytes)) status = AddSegment(LogIndex(synced.value + 1), bytes);
  if (status.ok()) status = AppendTo(*segments_.back(), entries, synced);
  if (status.code() == ErrorCode::kNoSpace || status.ok()) return status;
  failure_ = Status::Error(ErrorCode::kDiskFailed, "log {}: {}", directory_, status.ToString());
  return failure_;
}

Result<std::vector<LogEntry>> LogStorage::Read(LogIndex from, size_t max_bytes) {
  CAIRN_CHECK(first_index() <= from && from <= last_index());
  for (auto segment = segments_.rbegin();; ++segment) {
    if ((*segment)->first_index() <= from) return (*segment)->Read(from, max_bytes);
  }
}

Status LogStorage::Compact(LogIndex through) {
  while (segments_.size() > 1 && segments_.front()->last_index() <= through) {
    RETURN_IF_ERROR(Retire(*segments_.front()));
    segments_.erase(segments_.begin());
  }
  return OkStatus();
}

Status LogStorage::Retire(const LogSegment& segment) {
  if (!spare_ && segment.capacity_bytes() == options_.segment_bytes) {
    SpareFile spare{directory_ + "/" + std::string(kSpareName), segment.written_bytes()};
    RETURN_IF_ERROR(files_.Rename(segment.path(), spare.path));
    spare_ = std::move(spare);
  } else {
    RETURN_IF_ERROR(files_.Remove(segment.path()));
  }
  // One after the other, or a power cut could leave a gap where the second went before the first.
  return files_.SyncDirectory(directory_);
}

Status LogStorage::Close() {
  RETURN_IF_ERROR(failure_);
  facts_.synced = last_index();
  return SaveLogFacts(files_, FactsPath(), facts_);
}

}  // namespace cairn

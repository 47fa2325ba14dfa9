#include "raft/storage/log_storage.h"

#include <algorithm>
#include <utility>

#include "raft/storage/durable_file.h"
#include "raft/storage/log_survey.h"

namespace cairn {

namespace {

size_t RecordBytesOf(std::span<const LogEntry> entries) {
  size_t bytes = 0;
  for (const LogEntry& entry : entries) bytes += log_format::RecordBytes(entry.command.size());
  return bytes;
}

Status AppendTo(LogSegment& segment, std::span<const LogEntry> entries) {
  const LogIndex synced = segment.last_index();
  std::string records;
  records.reserve(RecordBytesOf(entries));
  std::vector<uint32_t> offsets;
  for (const LogEntry& entry : entries) {
    offsets.push_back(static_cast<uint32_t>(records.size()));
    log_format::AppendRecord(entry, synced, segment.seed(), records);
  }
  return segment.Append(std::move(records), offsets);
}

}  // namespace

Status LogStorage::Write(const std::optional<raft::HardState>& hard_state,
                         std::span<const LogEntry> entries) {
  RETURN_IF_ERROR(failure_);
  Status status = hard_state ? WriteHardState(*hard_state) : OkStatus();
  if (status.ok() && !entries.empty()) status = WriteEntries(entries);
  return Judge(std::move(status));
}

Status LogStorage::WriteHardState(const raft::HardState& hard_state) {
  const raft::HardState& now = facts_.hard_state;
  if (hard_state == now) return OkStatus();
  // A term that falls, or a second vote in one, would be the end of all that Raft promises.
  CAIRN_CHECK(hard_state.term > now.term ||
              (hard_state.term == now.term && now.vote == ServerId()));
  LogFacts facts = facts_;
  facts.hard_state = hard_state;
  return SaveFacts(std::move(facts));
}

Status LogStorage::WriteEntries(std::span<const LogEntry> entries) {
  CheckFollows(entries);
  const LogIndex first = entries.front().index;
  const size_t bytes = RecordBytesOf(entries);
  if (first <= last_index()) RETURN_IF_ERROR(LowerSyncedMark(first));
  if (first <= last_index() || !Newest()->Fits(bytes)) {
    RETURN_IF_ERROR(BeginSegment(first, bytes, false));
  }
  RETURN_IF_ERROR(AppendTo(*Newest(), entries));
  for (const LogEntry& entry : entries) outline_.Add(entry);
  return OkStatus();
}

void LogStorage::CheckFollows(std::span<const LogEntry> entries) const {
  LogIndex index = entries.front().index;
  CAIRN_CHECK(first_index() <= index && index.value <= last_index().value + 1);
  Term term = TermAt(LogIndex(index.value - 1)).value_or(Term());
  for (const LogEntry& entry : entries) {
    CAIRN_CHECK(entry.index == index && entry.term >= term);
    term = entry.term;
    ++index.value;
  }
  CAIRN_CHECK(term <= facts_.hard_state.term);
}

Status LogStorage::SaveFacts(LogFacts facts) {
  RETURN_IF_ERROR(SaveLogFacts(files_, LogFactsPath(directory_), facts));
  facts_ = std::move(facts);
  return OkStatus();
}

Status LogStorage::LowerSyncedMark(LogIndex first) {
  if (facts_.synced < first) return OkStatus();
  LogFacts facts = facts_;
  facts.synced = LogIndex(first.value - 1);
  return SaveFacts(std::move(facts));
}

Status LogStorage::BeginSegment(LogIndex first, size_t batch_bytes, bool begins_log) {
  const log_format::SegmentHeader header{first, facts_.incarnation, next_serial_++, begins_log};
  ASSIGN_OR_RETURN(SharedSegment created, CreateSegment(header, batch_bytes));
  outline_.ForgetFrom(begins_log ? LogIndex(0) : first);
  for (const SharedSegment& segment : PutIn(std::move(created), begins_log)) {
    // The new one has taken the name of an old one that began at the same entry.
    if (segment->first_index() == first) continue;
    Status retired = Retire(segment);
    // It must not be there any more when the segment that supersedes it is compacted away.
    if (!retired.ok()) return DiskFailed(retired);
  }
  return OkStatus();
}

Result<LogStorage::SharedSegment> LogStorage::CreateSegment(
    const log_format::SegmentHeader& header, size_t batch_bytes) {
  const SpareFile spare = spare_.value_or(SpareFile{LogSparePath(directory_), 0});
  const size_t capacity =
      std::max(options_.segment_bytes, log_format::kSegmentHeaderBytes + batch_bytes);
  spare_.reset();
  ASSIGN_OR_RETURN(std::unique_ptr<LogSegment> segment,
                   LogSegment::Create(files_, directory_, spare, header, capacity));
  return SharedSegment(std::move(segment));
}

std::vector<LogStorage::SharedSegment> LogStorage::PutIn(SharedSegment segment, bool begins_log) {
  const LogIndex first = segment->first_index();
  absl::MutexLock lock(&mu_);
  std::vector<SharedSegment> superseded;
  while (!segments_.empty() && (begins_log || segments_.back()->first_index() >= first)) {
    superseded.push_back(std::move(segments_.back()));
    segments_.pop_back();
  }
  if (!segments_.empty()) segments_.back()->ForgetFrom(first);
  segments_.push_back(std::move(segment));
  return superseded;
}

Result<std::vector<LogEntry>> LogStorage::ReadEntries(LogIndex from, size_t max_bytes) {
  const std::vector<Place> places = Find(from, max_bytes);
  if (places.empty()) return Fail(ErrorCode::kNotFound, "entry {} is not in the log", from);
  std::vector<LogEntry> entries;
  for (const Place& place : places) {
    ASSIGN_OR_RETURN(std::vector<LogEntry> read, place.segment->Read(place.range));
    std::move(read.begin(), read.end(), std::back_inserter(entries));
  }
  return entries;
}

std::vector<LogStorage::Place> LogStorage::Find(LogIndex from, size_t max_bytes) const {
  std::vector<Place> places;
  absl::MutexLock lock(&mu_);
  for (const SharedSegment& segment : segments_) {
    if (from < segment->first_index() || segment->last_index() < from) continue;
    const LogSegment::Range range = segment->Find(from, max_bytes, places.empty() ? 1 : 0);
    if (range.count == 0) break;
    places.push_back({segment, range});
    from.value += range.count;
    max_bytes -= std::min(max_bytes, range.end - range.begin);
    if (from <= segment->last_index()) break;
  }
  return places;
}

LogIndex LogStorage::FirstAfterCompact(LogIndex through, size_t kept_segments) const {
  CAIRN_CHECK(kept_segments > 0);
  absl::MutexLock lock(&mu_);
  size_t oldest = 0;
  while (oldest + kept_segments < segments_.size() &&
         segments_[oldest]->last_index() <= through) {
    ++oldest;
  }
  return segments_[oldest]->first_index();
}

Status LogStorage::Compact(LogIndex through, size_t kept_segments) {
  RETURN_IF_ERROR(failure_);
  const LogIndex first = FirstAfterCompact(through, kept_segments);
  Status status;
  while (status.ok() && first_index() < first) status = RetireOldest();
  outline_.ForgetBelow(first_index());
  return Judge(std::move(status));
}

Status LogStorage::RetireOldest() {
  SharedSegment oldest;
  {
    absl::MutexLock lock(&mu_);
    oldest = std::move(segments_.front());
    segments_.erase(segments_.begin());
  }
  Status status = Retire(oldest);
  if (status.ok()) return status;
  // With it left behind the next one must not go either: there would be a gap.
  absl::MutexLock lock(&mu_);
  segments_.insert(segments_.begin(), std::move(oldest));
  return status;
}

Status LogStorage::Retire(const SharedSegment& segment) {
  // A file that a reader is still at is not written again; nobody new can get at it.
  const bool reusable = segment.use_count() == 1 && !spare_ &&
                        segment->capacity_bytes() == options_.segment_bytes;
  // One after the other, or a power cut could leave a gap where the second went before the first.
  if (!reusable) return RemoveDurably(files_, segment->path());
  const SpareFile spare{LogSparePath(directory_), segment->written_bytes()};
  RETURN_IF_ERROR(RenameDurably(files_, segment->path(), spare.path));
  spare_ = spare;
  return OkStatus();
}

Status LogStorage::Reset(LogIndex first_index) {
  RETURN_IF_ERROR(failure_);
  Status status = LowerSyncedMark(first_index);
  if (status.ok()) status = BeginSegment(first_index, 0, true);
  return Judge(std::move(status));
}

Status LogStorage::Adopt(ServerId self, std::string founders) {
  RETURN_IF_ERROR(failure_);
  const bool anothers = facts_.self != ServerId() && facts_.self != self;
  if (anothers || last_index().value > 0) {
    return Status::Error(ErrorCode::kExists, "log {} belongs to server {} and ends at {}",
                         directory_, facts_.self, last_index());
  }
  if (founders.size() > kMaxFoundersBytes) {
    return Status::Error(ErrorCode::kTooLarge, "founders of {} bytes", founders.size());
  }
  LogFacts facts = facts_;
  facts.self = self;
  facts.founders = std::move(founders);
  return Judge(SaveFacts(std::move(facts)));
}

Status LogStorage::ForgetLost() {
  RETURN_IF_ERROR(failure_);
  if (facts_.lost == LogIndex()) return OkStatus();
  LogFacts facts = facts_;
  facts.lost = LogIndex();
  return Judge(SaveFacts(std::move(facts)));
}

Status LogStorage::Close() {
  RETURN_IF_ERROR(failure_);
  LogFacts facts = facts_;
  facts.synced = last_index();
  return Judge(SaveFacts(std::move(facts)));
}

raft::StartState LogStorage::MakeStartState(const raft::SnapshotPoint& applied) const {
  raft::StartState start;
  start.hard_state = facts_.hard_state;
  start.applied = applied;
  start.first_index = first_index();
  start.last_index = last_index();
  start.terms = outline_.terms();
  for (const LogEntry& entry : outline_.memberships()) {
    if (entry.index > applied.index) start.memberships.push_back(entry);
  }
  start.may_have_acknowledged = facts_.lost;
  return start;
}

LogStorage::SharedSegment LogStorage::Newest() const {
  absl::MutexLock lock(&mu_);
  return segments_.back();
}

LogIndex LogStorage::first_index() const {
  absl::MutexLock lock(&mu_);
  return segments_.front()->first_index();
}

LogIndex LogStorage::last_index() const {
  absl::MutexLock lock(&mu_);
  return segments_.back()->last_index();
}

size_t LogStorage::segment_count() const {
  absl::MutexLock lock(&mu_);
  return segments_.size();
}

Status LogStorage::Judge(Status status) {
  if (status.ok() || status.code() == ErrorCode::kNoSpace) return status;
  failure_ = Status::Error(ErrorCode::kDiskFailed, "log {}: {}", directory_, status.ToString());
  return failure_;
}

}  // namespace cairn

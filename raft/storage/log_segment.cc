#include "raft/storage/log_segment.h"

#include <algorithm>
#include <charconv>

#include "common/logging.h"
#include "raft/storage/durable_file.h"

namespace cairn {

using log_format::kSegmentHeaderBytes;

namespace {

constexpr size_t kWriteAheadBytes = 256u << 10;
constexpr uint64_t kMaxSegmentBytes = 256u << 20;

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Result<std::string> ReadAt(File& file, size_t offset, size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  auto out = std::as_writable_bytes(std::span(bytes.data(), bytes.size()));
  ASSIGN_OR_RETURN(size_t got, file.Read(offset, out));
  bytes.resize(got);
  return bytes;
}

Result<std::string> ReadWhole(File& file, const std::string& path) {
  ASSIGN_OR_RETURN(uint64_t size_bytes, file.Size());
  if (size_bytes > kMaxSegmentBytes) {
    return Fail(ErrorCode::kCorruption, "{}: no segment has {} bytes", path, size_bytes);
  }
  return ReadAt(file, 0, size_bytes);
}

Status Prepare(File& file, const log_format::SegmentHeader& header, size_t capacity_bytes) {
  RETURN_IF_ERROR(file.Preallocate(capacity_bytes));
  RETURN_IF_ERROR(file.Write(0, AsBytes(log_format::EncodeSegmentHeader(header))));
  return SyncOrFail(file);
}

}  // namespace

std::string SegmentName(LogIndex first_index) {
  return fmt::format("{:016x}.log", first_index.value);
}

std::optional<LogIndex> ParseSegmentName(std::string_view name) {
  if (name.size() != 20 || !name.ends_with(".log")) return std::nullopt;
  uint64_t first = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + 16, first, 16);
  if (error != std::errc() || end != name.data() + 16) return std::nullopt;
  return LogIndex(first);
}

Result<std::string> LoadSegmentBytes(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  return ReadWhole(*file, path);
}

Result<std::unique_ptr<LogSegment>> LogSegment::Create(FileSystem& files,
                                                       const std::string& directory,
                                                       const SpareFile& spare,
                                                       const log_format::SegmentHeader& header,
                                                       size_t capacity_bytes) {
  std::string path = directory + "/" + SegmentName(header.first_index);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(spare.path, OpenMode::kCreate));
  Status ready = Prepare(*file, header, capacity_bytes);
  if (ready.ok()) ready = RenameDurably(files, spare.path, path);
  if (!ready.ok()) {
    if (ready.code() != ErrorCode::kDiskFailed) (void)files.Remove(spare.path).ok();
    return Fail(ready);
  }
  std::unique_ptr<LogSegment> segment(
      new LogSegment(std::move(file), std::move(path), header, capacity_bytes));
  segment->written_ = std::max(spare.written_bytes, kSegmentHeaderBytes);
  return segment;
}

Result<LogSegment::Loaded> LogSegment::Load(FileSystem& files, const std::string& path,
                                            LogIndex first_index, const ScanLimits& limits,
                                            size_t capacity_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kReadWrite));
  ASSIGN_OR_RETURN(std::string bytes, ReadWhole(*file, path));
  std::optional<log_format::SegmentHeader> header = log_format::DecodeSegmentHeader(bytes);
  // A segment gets its name after its header is on disk, so this cannot be a torn write.
  if (!header || header->first_index != first_index) {
    return Fail(ErrorCode::kCorruption, "{} at 0: damaged segment header", path);
  }
  SegmentScan scan = ScanSegment(bytes, *header, limits);
  std::unique_ptr<LogSegment> segment(
      new LogSegment(std::move(file), path, *header, std::max(capacity_bytes, bytes.size())));
  if (scan.torn) {
    LOG_WARN("torn record at the end of the log is cut path={} at={} index={}", path, scan.end,
             first_index.value + scan.offsets.size());
  }
  segment->Adopt(std::move(scan.offsets), scan.end);
  Loaded loaded{std::move(segment), std::move(scan.outline), std::nullopt};
  if (scan.damaged) loaded.damaged_at = scan.end;
  return loaded;
}

void LogSegment::Adopt(std::vector<uint32_t> offsets, size_t end_bytes) {
  written_ = end_bytes;
  absl::MutexLock lock(&mu_);
  offsets_ = std::move(offsets);
  end_ = end_bytes;
}

Status LogSegment::WriteAhead(std::string records) {
  const size_t begin = end();
  const size_t records_end = begin + records.size();
  size_t write_end = records_end;
  if (records_end > written_) {
    write_end = std::max(records_end, std::min(capacity_bytes_, records_end + kWriteAheadBytes));
    records.resize(write_end - begin, '\0');
  }
  RETURN_IF_ERROR(file_->Write(begin, AsBytes(records)));
  RETURN_IF_ERROR(SyncOrFail(*file_));
  written_ = std::max(written_, write_end);
  return OkStatus();
}

Status LogSegment::Append(std::string records, const std::vector<uint32_t>& offsets) {
  const size_t records_bytes = records.size();
  Status status = WriteAhead(std::move(records));
  if (status.code() == ErrorCode::kNoSpace) {
    RETURN_IF_ERROR(Cut());
    return status;
  }
  if (!status.ok()) return DiskFailed(status);
  absl::MutexLock lock(&mu_);
  for (uint32_t offset : offsets) offsets_.push_back(static_cast<uint32_t>(end_) + offset);
  end_ += records_bytes;
  return OkStatus();
}

bool LogSegment::Fits(size_t bytes) const { return end() + bytes <= capacity_bytes_; }

Status LogSegment::Sync() { return SyncOrFail(*file_); }

Status LogSegment::Cut() {
  const size_t end_bytes = end();
  if (Status cut = file_->Truncate(end_bytes); !cut.ok()) return DiskFailed(cut);
  // Without room for the whole segment appends go on while there is room for them.
  Status reserved = file_->Preallocate(capacity_bytes_);
  if (!reserved.ok() && reserved.code() != ErrorCode::kNoSpace) return DiskFailed(reserved);
  written_ = end_bytes;
  return SyncOrFail(*file_);
}

void LogSegment::ForgetFrom(LogIndex index) {
  absl::MutexLock lock(&mu_);
  if (index > LastIndex()) return;
  const size_t kept = index.value - first_index().value;
  end_ = offsets_[kept];
  offsets_.resize(kept);
}

LogSegment::Range LogSegment::Find(LogIndex from, size_t max_bytes, size_t at_least) const {
  absl::MutexLock lock(&mu_);
  CAIRN_CHECK(first_index() <= from && from <= LastIndex());
  const auto first = offsets_.begin() + static_cast<ptrdiff_t>(from.value - first_index().value);
  const size_t most = *first + std::min(max_bytes, end_);
  // The first record that ends too far: all records before the end of the range are whole.
  auto behind = offsets_.end();
  if (end_ > most) behind = std::prev(std::upper_bound(first, offsets_.end(), most));
  if (behind == first && at_least > 0) ++behind;
  const size_t end_bytes = behind == offsets_.end() ? end_ : *behind;
  return Range{from, static_cast<size_t>(behind - first), *first, end_bytes};
}

Result<std::vector<LogEntry>> LogSegment::Read(const Range& range) const {
  ASSIGN_OR_RETURN(const std::string bytes, ReadAt(*file_, range.begin, range.end - range.begin));
  std::vector<LogEntry> entries;
  entries.reserve(range.count);
  size_t at = 0;
  for (LogIndex index = range.first; entries.size() < range.count; ++index.value) {
    std::optional<log_format::Record> record;
    if (at < bytes.size()) record = log_format::DecodeRecord(std::string_view(bytes).substr(at),
                                                             seed());
    if (!record || record->index != index) {
      return Fail(ErrorCode::kCorruption, "{} at {}: entry {} is damaged", path_, range.begin + at,
                  index);
    }
    entries.push_back({record->term, index, std::string(record->command), record->kind});
    at += log_format::RecordBytes(record->command.size());
  }
  return entries;
}

size_t LogSegment::end() const {
  absl::MutexLock lock(&mu_);
  return end_;
}

LogIndex LogSegment::LastIndex() const {
  return LogIndex(first_index().value + offsets_.size() - 1);
}

LogIndex LogSegment::last_index() const {
  absl::MutexLock lock(&mu_);
  return LastIndex();
}

}  // namespace cairn

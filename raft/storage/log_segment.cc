#include "raft/storage/log_segment.h"

#include <algorithm>
#include <charconv>

#include "common/logging.h"

namespace cairn {

using log_format::DecodeRecord;
using log_format::kRecordAlignment;
using log_format::kRecordHeaderBytes;
using log_format::kSegmentHeaderBytes;
using log_format::Record;

namespace {

constexpr uint64_t kMarkEvery = 64;
constexpr size_t kWriteAheadBytes = 256u << 10;
constexpr uint64_t kMaxFileBytes = 256u << 20;

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
  if (size_bytes > kMaxFileBytes) {
    return Fail(ErrorCode::kCorruption, "{}: no segment has {} bytes", path, size_bytes);
  }
  return ReadAt(file, 0, size_bytes);
}

Status DiskFailed(const Status& cause) {
  return Status::Error(ErrorCode::kDiskFailed, "{}", cause.ToString());
}

Status Prepare(File& file, const log_format::SegmentHeader& header, size_t capacity_bytes) {
  RETURN_IF_ERROR(file.Preallocate(capacity_bytes));
  RETURN_IF_ERROR(file.Write(0, AsBytes(log_format::EncodeSegmentHeader(header))));
  Status synced = file.Sync();
  return synced.ok() ? synced : DiskFailed(synced);
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

Result<std::unique_ptr<LogSegment>> LogSegment::Create(FileSystem& files,
                                                       const std::string& directory,
                                                       const SpareFile& spare,
                                                       const log_format::SegmentHeader& header,
                                                       size_t capacity_bytes) {
  std::string path = directory + "/" + SegmentName(header.first_index);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(spare.path, OpenMode::kCreate));
  Status ready = Prepare(*file, header, capacity_bytes);
  if (ready.ok()) ready = files.Rename(spare.path, path);
  if (!ready.ok()) {
    (void)files.Remove(spare.path).ok();
    return Fail(ready);
  }
  if (Status synced = files.SyncDirectory(directory); !synced.ok()) return Fail(DiskFailed(synced));
  std::unique_ptr<LogSegment> segment(
      new LogSegment(std::move(file), std::move(path), header, capacity_bytes));
  segment->written_ = std::max(spare.written_bytes, kSegmentHeaderBytes);
  return segment;
}

Result<std::unique_ptr<LogSegment>> LogSegment::Load(FileSystem& files, const std::string& path,
                                                     const Expectation& expected,
                                                     size_t capacity_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kReadWrite));
  ASSIGN_OR_RETURN(std::string bytes, ReadWhole(*file, path));
  std::optional<log_format::SegmentHeader> header = log_format::DecodeSegmentHeader(bytes);
  // A segment gets its name after its header is on disk, so this cannot be a torn write.
  if (!header || header->first_index != expected.first) {
    return Fail(ErrorCode::kCorruption, "{} at 0: damaged segment header", path);
  }
  std::unique_ptr<LogSegment> segment(
      new LogSegment(std::move(file), path, *header, std::max(capacity_bytes, bytes.size())));
  RETURN_IF_ERROR(segment->Scan(bytes, expected));
  segment->written_ = segment->end_;
  return segment;
}

Status LogSegment::Scan(std::string_view bytes, const Expectation& expected) {
  LogIndex index = first_index();
  for (; index != expected.next; ++index.value) {
    std::optional<Record> record;
    if (end_ <= bytes.size()) record = DecodeRecord(bytes.substr(end_), seed());
    if (!record || record->index != index || record->synced >= index ||
        record->term < last_term_) {
      break;
    }
    Remember(end_);
    last_term_ = record->term;
    end_ += log_format::RecordBytes(record->command.size());
  }
  bool was_synced = index <= expected.synced || ProvenSynced(bytes, end_, index);
  if (index != expected.next && (expected.next.has_value() || was_synced)) {
    return Status::Error(ErrorCode::kCorruption, "{} at {}: entry {} was on disk and is damaged",
                         path_, end_, index);
  }
  if (end_ < bytes.size() && log_format::PeekIndex(bytes.substr(end_)) == index) {
    LOG_WARN("torn record at the end of the log is cut path={} at={} index={}", path_, end_, index);
  }
  return OkStatus();
}

bool LogSegment::ProvenSynced(std::string_view bytes, size_t at, LogIndex index) const {
  const uint64_t most = index.value + bytes.size() / kRecordHeaderBytes;
  for (; at + kRecordHeaderBytes <= bytes.size(); at += kRecordAlignment) {
    LogIndex there = log_format::PeekIndex(bytes.substr(at));
    if (there <= index || there.value > most) continue;
    std::optional<Record> record = DecodeRecord(bytes.substr(at), seed());
    if (record && record->synced >= index) return true;
  }
  return false;
}

void LogSegment::Remember(size_t offset) {
  if (count_ % kMarkEvery == 0) marks_.push_back(offset);
  ++count_;
}

Status LogSegment::Append(std::string records, const std::vector<size_t>& offsets) {
  const size_t end = end_ + records.size();
  size_t write_end = end;
  if (end > written_) {
    write_end = std::max(end, std::min(capacity_bytes_, end + kWriteAheadBytes));
    records.resize(write_end - end_, '\0');
  }
  Status status = file_->Write(end_, AsBytes(records));
  if (status.code() == ErrorCode::kNoSpace) {
    RETURN_IF_ERROR(Cut());
    return status;
  }
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) return DiskFailed(status);
  for (size_t offset : offsets) Remember(end_ + offset);
  end_ = end;
  written_ = std::max(written_, write_end);
  return OkStatus();
}

Status LogSegment::Cut() {
  if (Status cut = file_->Truncate(end_); !cut.ok()) return DiskFailed(cut);
  // Without room for the whole segment appends go on while there is room for them.
  Status status = file_->Preallocate(capacity_bytes_);
  if (status.ok() || status.code() == ErrorCode::kNoSpace) status = file_->Sync();
  written_ = end_;
  return status.ok() ? status : DiskFailed(status);
}

Result<std::vector<LogEntry>> LogSegment::Read(LogIndex from, size_t max_bytes) {
  CAIRN_CHECK(first_index() <= from && from <= last_index());
  uint64_t mark = (from.value - first_index().value) / kMarkEvery;
  size_t at = marks_[mark];
  LogIndex index(first_index().value + mark * kMarkEvery);
  std::vector<LogEntry> entries;
  for (size_t taken = 0; taken < max_bytes && index <= last_index(); ++index.value) {
    ASSIGN_OR_RETURN(std::string header, ReadAt(*file_, at, kRecordHeaderBytes));
    ASSIGN_OR_RETURN(std::string bytes,
                     ReadAt(*file_, at, log_format::PeekRecordBytes(header)));
    std::optional<Record> record = DecodeRecord(bytes, seed());
    if (!record || record->index != index) {
      return Fail(ErrorCode::kCorruption, "{} at {}: entry {} is damaged", path_, at, index);
    }
    at += log_format::RecordBytes(record->command.size());
    if (index < from) continue;
    taken += bytes.size();
    entries.push_back({record->term, index, std::string(record->command)});
  }
  return entries;
}

}  // namespace cairn

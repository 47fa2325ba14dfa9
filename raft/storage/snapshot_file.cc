#include "raft/storage/snapshot_file.h"

#include "raft/storage/durable_file.h"

namespace cairn {

namespace {

constexpr size_t kWriteBytes = 1u << 20;
constexpr size_t kReadBytes = 256u << 10;

std::string PathOf(const std::string& directory) { return directory + "/snapshot"; }
std::string AsidePathOf(const std::string& directory) { return directory + "/snapshot.tmp"; }

}  // namespace

Status IncomingSnapshot::Check(uint64_t offset, std::string_view data) const {
  RETURN_IF_ERROR(failure_);
  if (complete_ || offset != next_offset_) {
    return Status::Error(ErrorCode::kInvalidArgument, "a piece at {}, the next one is at {}",
                         offset, next_offset_);
  }
  if (data.size() > kMaxPieceBytes) {
    return Status::Error(ErrorCode::kTooLarge, "a piece of {} bytes", data.size());
  }
  return OkStatus();
}

Status IncomingSnapshot::Take(uint64_t offset, std::string_view data, bool last) {
  RETURN_IF_ERROR(Check(offset, data));
  failure_ = Absorb(data);
  if (failure_.ok() && last) failure_ = Finish();
  // Gives its room back at once: the next attempt may be long in coming.
  if (!failure_.ok()) (void)files_.Remove(AsidePathOf(directory_)).ok();
  return failure_;
}

Status IncomingSnapshot::Absorb(std::string_view data) {
  RETURN_IF_ERROR(decoder_.Feed(data));
  if (decoder_.point() != nullptr && *decoder_.point() != expected_) {
    return Status::Error(ErrorCode::kCorruption, "a snapshot of {} where that of {} was expected",
                         decoder_.point()->index, expected_.index);
  }
  next_offset_ += data.size();
  buffered_ += data;
  return buffered_.size() >= kWriteBytes ? WriteBuffered() : OkStatus();
}

Status IncomingSnapshot::OpenFile() {
  const std::string aside = AsidePathOf(directory_);
  // Not the same file: an earlier attempt may still have it open.
  if (files_.Exists(aside)) RETURN_IF_ERROR(files_.Remove(aside));
  ASSIGN_OR_RETURN(file_, files_.Open(aside, OpenMode::kCreateExclusive));
  return OkStatus();
}

Status IncomingSnapshot::WriteBuffered() {
  if (file_ == nullptr) RETURN_IF_ERROR(OpenFile());
  RETURN_IF_ERROR(
      file_->Write(written_, std::as_bytes(std::span(buffered_.data(), buffered_.size()))));
  written_ += buffered_.size();
  buffered_.clear();
  return OkStatus();
}

Status IncomingSnapshot::Finish() {
  if (!decoder_.finished()) {
    return Status::Error(ErrorCode::kCorruption, "the snapshot ends at {}, too early",
                         next_offset_);
  }
  RETURN_IF_ERROR(WriteBuffered());
  RETURN_IF_ERROR(SyncOrFail(*file_));
  RETURN_IF_ERROR(RenameDurably(files_, AsidePathOf(directory_), PathOf(directory_)));
  complete_ = true;
  return OkStatus();
}

SnapshotFileReader::SnapshotFileReader(std::string path, std::unique_ptr<File> file)
    : path_(std::move(path)), file_(std::move(file)),
      decoder_([this](std::string_view key, std::string_view value) {
        rows_.emplace_back(key, value);
      }) {}

Result<std::unique_ptr<SnapshotFileReader>> SnapshotFileReader::Open(const std::string& directory,
                                                                     FileSystem& files) {
  std::string path = PathOf(directory);
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  std::unique_ptr<SnapshotFileReader> reader(
      new SnapshotFileReader(std::move(path), std::move(file)));
  while (reader->decoder_.point() == nullptr) RETURN_IF_ERROR(reader->ReadOn());
  return reader;
}

Result<bool> SnapshotFileReader::Next(std::string& key, std::string& value) {
  // Up to the end of the file: bytes behind the end of the snapshot are damage too.
  while (rows_.empty() && !at_end_) RETURN_IF_ERROR(ReadOn());
  if (rows_.empty()) return false;
  std::tie(key, value) = std::move(rows_.front());
  rows_.pop_front();
  return true;
}

Status SnapshotFileReader::ReadOn() {
  std::string bytes(kReadBytes, '\0');
  auto out = std::as_writable_bytes(std::span(bytes.data(), bytes.size()));
  ASSIGN_OR_RETURN(const size_t got, file_->Read(offset_, out));
  if (got == 0 && !decoder_.finished()) {
    return Status::Error(ErrorCode::kCorruption, "{} at {}: the file ends too early", path_,
                         offset_);
  }
  at_end_ = got == 0;
  offset_ += got;
  const Status fed = decoder_.Feed(std::string_view(bytes).substr(0, got));
  if (fed.ok()) return fed;
  return Status::Error(fed.code(), "{}: {}", path_, fed.message());
}

Status RemoveSnapshotFile(const std::string& directory, FileSystem& files) {
  for (const std::string& path : {AsidePathOf(directory), PathOf(directory)}) {
    if (files.Exists(path)) RETURN_IF_ERROR(files.Remove(path));
  }
  return SyncDirectoryOrFail(files, directory);
}

}  // namespace cairn

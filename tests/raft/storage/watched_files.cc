#include "tests/raft/storage/watched_files.h"

namespace cairn {

class WatchedFiles::WatchedFile final : public File {
 public:
  WatchedFile(WatchedFiles& files, std::unique_ptr<File> below)
      : files_(files), below_(std::move(below)) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    return below_->Read(offset, out);
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    RETURN_IF_ERROR(files_.Ask(Change::kContents));
    return below_->Write(offset, data);
  }
  Status Sync() override {
    RETURN_IF_ERROR(files_.Ask(Change::kFileSync));
    return below_->Sync();
  }
  Status Truncate(uint64_t size_bytes) override {
    RETURN_IF_ERROR(files_.Ask(Change::kContents));
    return below_->Truncate(size_bytes);
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    RETURN_IF_ERROR(files_.Ask(Change::kContents));
    return below_->PunchHole(offset, length);
  }
  Status Preallocate(uint64_t size_bytes) override {
    RETURN_IF_ERROR(files_.Ask(Change::kContents));
    return below_->Preallocate(size_bytes);
  }
  Result<uint64_t> Size() override { return below_->Size(); }

 private:
  WatchedFiles& files_;
  std::unique_ptr<File> below_;
};

void WatchedFiles::CutAfter(uint64_t changes) {
  SetBeforeChange([this, left = changes](Change) mutable {
    if (left > 0) {
      --left;
      return OkStatus();
    }
    absl::MutexLock lock(&mu_);
    was_cut_ = true;
    return Status::Error(ErrorCode::kIoError, "the power is gone");
  });
}

Status WatchedFiles::Ask(Change change) {
  BeforeChange* before = nullptr;
  {
    absl::MutexLock lock(&mu_);
    before = before_ ? &before_ : nullptr;
  }
  return before != nullptr ? (*before)(change) : OkStatus();
}

Result<std::unique_ptr<File>> WatchedFiles::Open(const std::string& path, OpenMode mode) {
  const bool creates = mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive;
  if (creates && !below_.Exists(path)) RETURN_IF_ERROR(Ask(Change::kNames));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, below_.Open(path, mode));
  return std::make_unique<WatchedFile>(*this, std::move(file));
}

Status WatchedFiles::Remove(const std::string& path) {
  RETURN_IF_ERROR(Ask(Change::kNames));
  return below_.Remove(path);
}

Status WatchedFiles::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(Ask(Change::kNames));
  return below_.Rename(from, to);
}

Status WatchedFiles::SyncDirectory(const std::string& directory) {
  RETURN_IF_ERROR(Ask(Change::kDirectorySync));
  return below_.SyncDirectory(directory);
}

}  // namespace cairn

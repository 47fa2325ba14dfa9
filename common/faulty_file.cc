#include "common/faulty_file.h"

#include <csignal>

#include <optional>
#include <thread>
#include <utility>

namespace cairn {

namespace {

// What is left to do after a fault was consulted.
struct Verdict {
  Status status;      // not ok: answer this
  bool torn = false;  // a write: half of the bytes go down first
  bool drop = false;  // answer success, do nothing
};

Verdict Consult(FaultPlan& plan, FaultOperation operation, const std::string& path) {
  std::optional<FaultRule> fault = plan.Match(operation, path);
  if (!fault) return {};
  Status io_error = Status::Error(ErrorCode::kIoError, "injected I/O error: {}", path);
  switch (fault->kind) {
    case FaultKind::kDelay: std::this_thread::sleep_for(fault->delay); return {};
    case FaultKind::kIoError:
    case FaultKind::kCut: return {io_error, false, false};
    case FaultKind::kNoSpace:
      return {Status::Error(ErrorCode::kNoSpace, "injected full disk: {}", path), false,
              false};
    case FaultKind::kTorn: return {io_error, true, false};
    case FaultKind::kDrop: return {OkStatus(), false, true};
    case FaultKind::kCrash: raise(SIGKILL); return {};
  }
  return {};
}

class FaultyFile final : public File {
 public:
  FaultyFile(std::unique_ptr<File> below, FaultPlan& plan, std::string path)
      : below_(std::move(below)), plan_(plan), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    RETURN_IF_ERROR(Consult(plan_, FaultOperation::kRead, path_).status);
    return below_->Read(offset, out);
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    Verdict verdict = Consult(plan_, FaultOperation::kWrite, path_);
    if (verdict.torn) RETURN_IF_ERROR(below_->Write(offset, data.first(data.size() / 2)));
    if (!verdict.status.ok() || verdict.drop) return verdict.status;
    return below_->Write(offset, data);
  }
  Status Sync() override {
    return Do(FaultOperation::kSync, [&] { return below_->Sync(); });
  }
  Status Truncate(uint64_t size_bytes) override {
    return Do(FaultOperation::kWrite, [&] { return below_->Truncate(size_bytes); });
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    return Do(FaultOperation::kWrite, [&] { return below_->PunchHole(offset, length); });
  }
  Status Preallocate(uint64_t size_bytes) override {
    return Do(FaultOperation::kWrite, [&] { return below_->Preallocate(size_bytes); });
  }
  Result<uint64_t> Size() override { return below_->Size(); }
  void DropCached(uint64_t offset, uint64_t length) override {
    below_->DropCached(offset, length);
  }
  void StartWriteOut(uint64_t offset, uint64_t length) override {
    below_->StartWriteOut(offset, length);
  }

 private:
  template <typename Call>
  Status Do(FaultOperation operation, Call call) {
    Verdict verdict = Consult(plan_, operation, path_);
    if (!verdict.status.ok() || verdict.drop) return verdict.status;
    return call();
  }

  std::unique_ptr<File> below_;
  FaultPlan& plan_;
  std::string path_;
};

class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem(FileSystem& below, FaultPlan& plan) : below_(below), plan_(plan) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    RETURN_IF_ERROR(Consult(plan_, FaultOperation::kOpen, path).status);
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, below_.Open(path, mode));
    return std::make_unique<FaultyFile>(std::move(file), plan_, path);
  }
  Result<Descriptor> OpenToShare(const std::string& path) override {
    RETURN_IF_ERROR(Consult(plan_, FaultOperation::kOpen, path).status);
    // Reads by the descriptor pass by the plan: one that has something for them keeps it back.
    if (const Status fault = Consult(plan_, FaultOperation::kRead, path).status; !fault.ok()) {
      return Fail(ErrorCode::kNotSupported, "{}", fault.message());
    }
    return below_.OpenToShare(path);
  }
  Status MakeDirectory(const std::string& path) override {
    return Do(FaultOperation::kWrite, path, [&] { return below_.MakeDirectory(path); });
  }
  Status Remove(const std::string& path) override {
    return Do(FaultOperation::kWrite, path, [&] { return below_.Remove(path); });
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return Do(FaultOperation::kWrite, from, [&] { return below_.Rename(from, to); });
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    RETURN_IF_ERROR(Consult(plan_, FaultOperation::kRead, directory).status);
    return below_.List(directory);
  }
  bool Exists(const std::string& path) override { return below_.Exists(path); }
  Status SyncDirectory(const std::string& directory) override {
    return Do(FaultOperation::kSync, directory, [&] { return below_.SyncDirectory(directory); });
  }
  Status SyncAll(const std::string& path) override {
    return Do(FaultOperation::kSync, path, [&] { return below_.SyncAll(path); });
  }
  Result<DiskSpace> Space(const std::string& path) override { return below_.Space(path); }

 private:
  template <typename Call>
  Status Do(FaultOperation operation, const std::string& path, Call call) {
    Verdict verdict = Consult(plan_, operation, path);
    if (!verdict.status.ok() || verdict.drop) return verdict.status;
    return call();
  }

  FileSystem& below_;
  FaultPlan& plan_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeFaultyFileSystem(FileSystem& below, FaultPlan& plan) {
  return std::make_unique<FaultyFileSystem>(below, plan);
}

}  // namespace cairn

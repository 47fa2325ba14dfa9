#include "tests/crash/crash_disk.h"

#include <span>
#include <utility>

namespace cairn::crash {
namespace {

Status Gone() {
  return Status(ErrorCode::kIoError, "the power is gone");
}

}  // namespace

class CrashDisk::ProcessFile final : public File {
 public:
  ProcessFile(CrashDisk& disk, std::shared_ptr<bool> running, std::unique_ptr<File> below,
              std::string path)
      : disk_(disk),
        running_(std::move(running)),
        below_(std::move(below)),
        path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    if (!*running_) return Fail(Gone());
    return below_->Read(offset, out);
  }
  Result<uint64_t> Size() override {
    if (!*running_) return Fail(Gone());
    return below_->Size();
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    return Change("write", [&] { return below_->Write(offset, data); });
  }
  Status Truncate(uint64_t size_bytes) override {
    return Change("truncate", [&] { return below_->Truncate(size_bytes); });
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    return Change("punch", [&] { return below_->PunchHole(offset, length); });
  }
  Status Preallocate(uint64_t size_bytes) override {
    return Change("preallocate", [&] { return below_->Preallocate(size_bytes); });
  }
  Status Sync() override {
    if (!*running_) return Gone();
    bool takes_effect = false;
    // A sync that is cut short has brought to disk what chance decides, as without it.
    if (!disk_.Begin("sync", path_, takes_effect)) return Gone();
    return disk_.Forgets(path_) ? OkStatus() : below_->Sync();
  }

 private:
  template <typename Call>
  Status Change(const char* what, Call call) {
    if (!*running_) return Gone();
    bool takes_effect = true;
    const bool whole = disk_.Begin(what, path_, takes_effect);
    Status status = takes_effect ? call() : OkStatus();
    return whole ? status : Gone();
  }
  CrashDisk& disk_;
  const std::shared_ptr<bool> running_;
  const std::unique_ptr<File> below_;
  const std::string path_;
};

class CrashDisk::Process final : public FileSystem {
 public:
  Process(CrashDisk& disk, std::shared_ptr<bool> running)
      : disk_(disk), running_(std::move(running)) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    const bool makes = mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive;
    if (makes && !disk_.files_.Exists(path)) {
      RETURN_IF_ERROR(Change("create", path, [&] {
        return internal::StatusOf(disk_.files_.Open(path, mode));
      }));
      mode = OpenMode::kReadWrite;
    }
    if (!*running_) return Fail(Gone());
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, disk_.files_.Open(path, mode));
    return std::make_unique<ProcessFile>(disk_, running_, std::move(file), path);
  }
  Status MakeDirectory(const std::string& path) override {
    return *running_ ? disk_.files_.MakeDirectory(path) : Gone();
  }
  Status Remove(const std::string& path) override {
    return Change("remove", path, [&] { return disk_.files_.Remove(path); });
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return Change("rename to", to, [&] { return disk_.files_.Rename(from, to); });
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    if (!*running_) return Fail(Gone());
    return disk_.files_.List(directory);
  }
  bool Exists(const std::string& path) override { return *running_ && disk_.files_.Exists(path); }
  Status SyncDirectory(const std::string& directory) override {
    return Sync("sync directory", directory, [&] {
      return disk_.ForgetsDirectory(directory) ? OkStatus()
                                               : disk_.files_.SyncDirectory(directory);
    });
  }
  Status SyncAll(const std::string& path) override {
    return Sync("sync all", path, [&] {
      return disk_.Forgets(path + "/chunks/") ? OkStatus() : disk_.files_.SyncAll(path);
    });
  }
  Result<DiskSpace> Space(const std::string& path) override {
    if (!*running_) return Fail(Gone());
    return disk_.files_.Space(path);
  }

 private:
  template <typename Call>
  Status Change(const char* what, const std::string& path, Call call) {
    if (!*running_) return Gone();
    bool takes_effect = true;
    const bool whole = disk_.Begin(what, path, takes_effect);
    Status status = takes_effect ? call() : OkStatus();
    return whole ? status : Gone();
  }
  template <typename Call>
  Status Sync(const char* what, const std::string& path, Call call) {
    if (!*running_) return Gone();
    bool takes_effect = false;
    return disk_.Begin(what, path, takes_effect) ? call() : Gone();
  }
  CrashDisk& disk_;
  const std::shared_ptr<bool> running_;
};

bool CrashDisk::Begin(const char* what, const std::string& path, bool& takes_effect) {
  ++changes_;
  if (left_ == kNever || --left_ > 0) return true;
  left_ = kNever;
  was_cut_ = true;
  cut_during_ = std::string(what) + " " + path;
  // Whether it still was done is for every second change to say: any other source of chance would
  // do as well.
  takes_effect = takes_effect && changes_ % 2 == 0;
  *running_ = false;
  return false;
}

bool CrashDisk::Forgets(const std::string& path) const {
  const bool is_data = path.find("/chunks/") != std::string::npos;
  const bool is_log = path.ends_with(".log");
  switch (bug_) {
    case CrashBug::kDataNotSynced: return is_data;
    case CrashBug::kSealedBeforeSync: return is_data && sealing_;
    case CrashBug::kIndexNotSynced: return is_log && index_sync_;
    case CrashBug::kLogRotatedUnsynced: return is_log && !index_sync_;
    default: return false;
  }
}

bool CrashDisk::ForgetsDirectory(const std::string& path) const {
  return bug_ == CrashBug::kEntryNotSynced && path.find("/chunks/") != std::string::npos;
}

FileSystem& CrashDisk::Attach() {
  running_ = std::make_shared<bool>(true);
  was_cut_ = false;
  processes_.push_back(std::make_unique<Process>(*this, running_));
  return *processes_.back();
}

void CrashDisk::Detach() {
  if (running_ != nullptr) *running_ = false;
}

void CrashDisk::CutAt(uint64_t change) {
  left_ = change;
}

void CrashDisk::LosePower(std::mt19937_64& random) {
  using Names = ForgetfulFiles::UnsyncedNames;
  Detach();
  constexpr Names kNames[] = {Names::kGo, Names::kStay, Names::kEachByItself,
                              Names::kEachByItself};
  files_.LosePower(random, kNames[random() % std::size(kNames)]);
}

}  // namespace cairn::crash

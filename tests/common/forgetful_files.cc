#include "tests/common/forgetful_files.h"

#include <algorithm>
#include <cstring>

namespace cairn {

namespace {
constexpr size_t kSectorBytes = 512;

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}
}  // namespace

void ForgetfulFiles::Contents::Change(size_t from, size_t to) {
  unsynced_from = std::min(unsynced_from, from);
  unsynced_to = std::max(unsynced_to, to);
}

void ForgetfulFiles::Contents::Resize(size_t size_bytes) {
  Change(std::min(now.size(), size_bytes), std::max(now.size(), size_bytes));
  now.resize(size_bytes, '\0');
}

void ForgetfulFiles::Contents::Sync() {
  synced.resize(now.size());
  const size_t end = std::min(unsynced_to, now.size());
  if (unsynced_from < end) {
    std::memcpy(synced.data() + unsynced_from, now.data() + unsynced_from, end - unsynced_from);
  }
  unsynced_from = std::string::npos;
  unsynced_to = 0;
}

std::string ForgetfulFiles::Contents::AfterPowerCut(std::mt19937_64& random) const {
  if (unsynced_from >= unsynced_to) return synced;
  // The size is metadata of its own: the old or the new one.
  std::string after = random() % 2 == 0 ? synced : now;
  const size_t end = std::min(unsynced_to, after.size());
  for (size_t at = unsynced_from / kSectorBytes * kSectorBytes; at < end; at += kSectorBytes) {
    const std::string& source = random() % 2 == 0 ? synced : now;
    size_t length = std::min(kSectorBytes, after.size() - at);
    std::string sector = at < source.size() ? source.substr(at, length) : std::string();
    sector.resize(length, '\0');
    after.replace(at, length, sector);
  }
  return after;
}

class ForgetfulFiles::OpenFile final : public File {
 public:
  OpenFile(ForgetfulFiles& files, std::shared_ptr<Contents> contents)
      : files_(files), contents_(std::move(contents)) {}

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    absl::MutexLock lock(&files_.mu_);
    const std::string& now = contents_->now;
    if (offset >= now.size()) return size_t{0};
    size_t length = std::min(out.size(), now.size() - offset);
    std::memcpy(out.data(), now.data() + offset, length);
    return length;
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    absl::MutexLock lock(&files_.mu_);
    const size_t end = offset + data.size();
    if (contents_->now.size() < end) contents_->Resize(end);
    contents_->Change(offset, end);
    std::memcpy(contents_->now.data() + offset, data.data(), data.size());
    return OkStatus();
  }
  Status Sync() override {
    absl::MutexLock lock(&files_.mu_);
    contents_->Sync();
    ++files_.file_syncs_;
    return OkStatus();
  }
  Status Truncate(uint64_t size_bytes) override {
    absl::MutexLock lock(&files_.mu_);
    contents_->Resize(size_bytes);
    return OkStatus();
  }
  Status PunchHole(uint64_t offset, uint64_t length) override {
    absl::MutexLock lock(&files_.mu_);
    std::string& now = contents_->now;
    contents_->Change(offset, offset + length);
    for (uint64_t at = offset; at < std::min<uint64_t>(now.size(), offset + length); ++at) {
      now[at] = '\0';
    }
    return OkStatus();
  }
  Status Preallocate(uint64_t size_bytes) override {
    absl::MutexLock lock(&files_.mu_);
    if (contents_->now.size() < size_bytes) contents_->Resize(size_bytes);
    return OkStatus();
  }
  Result<uint64_t> Size() override {
    absl::MutexLock lock(&files_.mu_);
    return uint64_t{contents_->now.size()};
  }

 private:
  ForgetfulFiles& files_;
  std::shared_ptr<Contents> contents_;
};

Result<std::unique_ptr<File>> ForgetfulFiles::Open(const std::string& path, OpenMode mode) {
  absl::MutexLock lock(&mu_);
  auto entry = now_.find(path);
  bool create = mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive;
  if (entry == now_.end()) {
    if (!create) return Fail(ErrorCode::kNotFound, "open {}", path);
    entry = now_.emplace(path, std::make_shared<Contents>()).first;
  } else if (mode == OpenMode::kCreateExclusive) {
    return Fail(ErrorCode::kExists, "open {}", path);
  }
  return std::make_unique<OpenFile>(*this, entry->second);
}

Status ForgetfulFiles::MakeDirectory(const std::string& path) {
  absl::MutexLock lock(&mu_);
  directories_.insert(path);
  return OkStatus();
}

Status ForgetfulFiles::Remove(const std::string& path) {
  absl::MutexLock lock(&mu_);
  if (now_.erase(path) == 0) return Status::Error(ErrorCode::kNotFound, "remove {}", path);
  return OkStatus();
}

Status ForgetfulFiles::Rename(const std::string& from, const std::string& to) {
  absl::MutexLock lock(&mu_);
  auto entry = now_.extract(from);
  if (entry.empty()) return Status::Error(ErrorCode::kNotFound, "rename {}", from);
  now_[to] = entry.mapped();
  return OkStatus();
}

Result<std::vector<std::string>> ForgetfulFiles::List(const std::string& directory) {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> names;
  for (const auto& [path, contents] : now_) {
    if (DirectoryOf(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

bool ForgetfulFiles::Exists(const std::string& path) {
  absl::MutexLock lock(&mu_);
  return now_.contains(path) || directories_.contains(path);
}

Status ForgetfulFiles::SyncDirectory(const std::string& directory) {
  absl::MutexLock lock(&mu_);
  std::erase_if(synced_, [&](const auto& entry) { return DirectoryOf(entry.first) == directory; });
  for (const auto& entry : now_) {
    if (DirectoryOf(entry.first) == directory) synced_.insert(entry);
  }
  return OkStatus();
}

Status ForgetfulFiles::SyncAll(const std::string&) {
  absl::MutexLock lock(&mu_);
  synced_ = now_;
  for (auto& [path, contents] : now_) contents->Sync();
  return OkStatus();
}

Result<DiskSpace> ForgetfulFiles::Space(const std::string&) {
  return DiskSpace{uint64_t{1} << 40, uint64_t{1} << 40};
}

ForgetfulFiles::Names ForgetfulFiles::SomeNames(std::mt19937_64& random) const {
  Names names = synced_;
  for (const auto& [path, contents] : now_) {
    const auto found = synced_.find(path);
    const bool differs = found == synced_.end() || found->second != contents;
    if (differs && random() % 2 == 0) names[path] = contents;
  }
  for (const auto& [path, contents] : synced_) {
    if (!now_.contains(path) && random() % 2 == 0) names.erase(path);
  }
  return names;
}

void ForgetfulFiles::LosePower(std::mt19937_64& random, UnsyncedNames names) {
  absl::MutexLock lock(&mu_);
  if (names == UnsyncedNames::kGo) now_ = synced_;
  if (names == UnsyncedNames::kEachByItself) now_ = SomeNames(random);
  for (auto& [path, contents] : now_) {
    auto after = std::make_shared<Contents>();
    after->now = contents->AfterPowerCut(random);
    after->synced = after->now;
    contents = after;
  }
  synced_ = now_;
}

uint64_t ForgetfulFiles::file_syncs() const {
  absl::MutexLock lock(&mu_);
  return file_syncs_;
}

}  // namespace cairn

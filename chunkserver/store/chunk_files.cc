#include "chunkserver/store/chunk_files.h"

#include <algorithm>
#include <tuple>

#include "common/logging.h"

namespace cairn {

Status ChunkFiles::PrepareAside() {
  const std::string aside = directory_ + "/" + kAsideFolder;
  if (files_.Exists(aside)) return OkStatus();
  RETURN_IF_ERROR(files_.MakeDirectory(aside));
  return files_.SyncDirectory(directory_);
}

Status ChunkFiles::Prepare() {
  RETURN_IF_ERROR(PrepareAside());
  const std::string last = directory_ + "/" + ChunkFolder(kChunkFolders - 1);
  if (files_.Exists(last)) return OkStatus();
  for (uint32_t folder = 0; folder < kChunkFolders; ++folder) {
    RETURN_IF_ERROR(files_.MakeDirectory(directory_ + "/" + ChunkFolder(folder)));
  }
  RETURN_IF_ERROR(files_.SyncDirectory(directory_ + "/chunks"));
  return files_.SyncDirectory(directory_);
}

std::string ChunkFiles::Path(ChunkId id) const {
  return directory_ + "/" + ChunkFolder(id) + "/" + ChunkFileName(id);
}

Result<std::shared_ptr<File>> ChunkFiles::Open(ChunkId id, bool create) {
  auto file = files_.Open(Path(id), create ? OpenMode::kCreate : OpenMode::kReadWrite);
  if (file.has_value()) return std::shared_ptr<File>(std::move(*file));
  if (!create && file.error().code() == ErrorCode::kNotFound) return std::shared_ptr<File>();
  return Fail(file.error());
}

Status ChunkFiles::SyncEntry(ChunkId id) {
  const uint32_t folder = ChunkFolderNumber(id);
  const uint64_t until = RemovalsSoFar();
  RETURN_IF_ERROR(files_.SyncDirectory(directory_ + "/" + ChunkFolder(folder)));
  absl::MutexLock lock(&mu_);
  ForgetRemoved(folder, until);
  return OkStatus();
}

Status ChunkFiles::SyncAll() {
  const uint64_t until = RemovalsSoFar();
  RETURN_IF_ERROR(files_.SyncAll(directory_));
  absl::MutexLock lock(&mu_);
  for (uint32_t folder = 0; folder < kChunkFolders; ++folder) ForgetRemoved(folder, until);
  return OkStatus();
}

Status ChunkFiles::Remove(ChunkId id) {
  Status status = files_.Remove(Path(id));
  if (status.code() == ErrorCode::kNotFound) return OkStatus();
  absl::MutexLock lock(&mu_);
  if (status.ok()) {
    removed_[ChunkFolderNumber(id)][id] = ++removals_;
  } else {
    doomed_.insert(id);
  }
  return status;
}

Status ChunkFiles::SyncRemoval(ChunkId id) {
  return MayComeBack(id) ? SyncEntry(id) : OkStatus();
}

bool ChunkFiles::MayComeBack(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  return removed_[ChunkFolderNumber(id)].contains(id);
}

size_t ChunkFiles::RemovedCount() const {
  absl::MutexLock lock(&mu_);
  size_t count = 0;
  for (const auto& of_folder : removed_) count += of_folder.size();
  return count;
}

uint64_t ChunkFiles::RemovalsSoFar() const {
  absl::MutexLock lock(&mu_);
  return removals_;
}

void ChunkFiles::ForgetRemoved(uint32_t folder, uint64_t until) {
  absl::erase_if(removed_[folder], [&](const auto& entry) { return entry.second <= until; });
}

void ChunkFiles::Doom(ChunkId id) {
  absl::MutexLock lock(&mu_);
  doomed_.insert(id);
}

bool ChunkFiles::IsDoomed(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  return doomed_.contains(id);
}

size_t ChunkFiles::DoomedCount() const {
  absl::MutexLock lock(&mu_);
  return doomed_.size();
}

std::vector<ChunkId> ChunkFiles::Doomed() const {
  absl::MutexLock lock(&mu_);
  std::vector<ChunkId> doomed(doomed_.begin(), doomed_.end());
  std::sort(doomed.begin(), doomed.end());
  return doomed;
}

Status ChunkFiles::RemoveDoomed(ChunkId id) {
  if (!IsDoomed(id)) return OkStatus();
  RETURN_IF_ERROR(Remove(id));
  absl::MutexLock lock(&mu_);
  doomed_.erase(id);
  return OkStatus();
}

std::string ChunkFiles::AsidePath(const AsideFile& aside) const {
  return directory_ + "/" + kAsideFolder + "/" + AsideFileName(aside);
}

Result<bool> ChunkFiles::Move(const std::string& from, const std::string& to) {
  if (!files_.Exists(from)) return false;
  RETURN_IF_ERROR(files_.Rename(from, to));
  return true;
}

Status ChunkFiles::SyncMoveAside(ChunkId id) {
  RETURN_IF_ERROR(SyncAside());
  return SyncEntry(id);
}

Status ChunkFiles::SyncMoveBack(ChunkId id) {
  RETURN_IF_ERROR(SyncEntry(id));
  return SyncAside();
}

Result<std::vector<AsideFile>> ChunkFiles::ListAside() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   files_.List(directory_ + "/" + kAsideFolder));
  std::vector<AsideFile> found;
  for (const std::string& name : names) {
    if (const std::optional<AsideFile> file = ParseAsideFileName(name)) found.push_back(*file);
  }
  std::sort(found.begin(), found.end(), [](const AsideFile& a, const AsideFile& b) {
    return std::tie(a.id, a.seconds) < std::tie(b.id, b.seconds);
  });
  return found;
}

Result<std::vector<ChunkId>> ChunkFiles::List() {
  std::vector<ChunkId> ids;
  for (uint32_t folder = 0; folder < kChunkFolders; ++folder) {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     files_.List(directory_ + "/" + ChunkFolder(folder)));
    for (const std::string& name : names) {
      std::optional<ChunkId> id = ParseChunkFileName(name);
      if (id && ChunkFolder(*id) == ChunkFolder(folder)) {
        ids.push_back(*id);
      } else {
        LOG_WARN("not a chunk's file, left alone folder={} name={}", ChunkFolder(folder), name);
      }
    }
  }
  return ids;
}

}  // namespace cairn

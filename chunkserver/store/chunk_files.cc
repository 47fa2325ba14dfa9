#include "chunkserver/store/chunk_files.h"

#include <algorithm>

#include "common/logging.h"

namespace cairn {

Status ChunkFiles::Prepare() {
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
  return files_.SyncDirectory(directory_ + "/" + ChunkFolder(id));
}

Status ChunkFiles::Remove(ChunkId id) {
  Status status = files_.Remove(Path(id));
  return status.code() == ErrorCode::kNotFound ? OkStatus() : status;
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
  {
    absl::MutexLock lock(&mu_);
    if (doomed_.erase(id) == 0) return OkStatus();
  }
  return Remove(id);
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

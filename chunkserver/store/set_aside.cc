#include "chunkserver/store/set_aside.h"

#include <algorithm>
#include <vector>

#include "chunkserver/store/chunk_change.h"
#include "common/logging.h"

namespace cairn {
namespace {

// Whoever asks read that the file does not exist a moment ago. What was written since is younger
// than that: it is not sealed, unless the store was closed and opened in between.
Status CheckUntouched(const StoreParts& parts, ChunkId id, const ChunkRow& row) {
  const bool young = parts.clock.Now() - parts.opened < timing::kSealIdle;
  if (row.sealed && !young) return OkStatus();
  return Status::Error(ErrorCode::kBusy, "chunk {} may have been changed a moment ago", id);
}

}  // namespace

Result<bool> SetChunkAside(StoreParts& parts, Chunk& chunk, PgId group) {
  ASSIGN_OR_RETURN(const std::optional<ChunkRow> row, chunk.Row());
  if (!row || row->group != group) return false;
  RETURN_IF_ERROR(CheckUntouched(parts, chunk.id(), *row));
  // The file first: files without rows are removed at a start, rows without a file are looked for
  // in aside/. What is sealed is on disk already.
  const AsideFile aside{chunk.id(), std::max<int64_t>(0, parts.clock.WallNow().seconds)};
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Sync()));  // that it is sealed, too
  ASSIGN_OR_RETURN(const bool moved, parts.files.MoveAside(aside));
  if (moved) RETURN_IF_ERROR(parts.health.Fatal(parts.files.SyncMoveAside(chunk.id())));
  RETURN_IF_ERROR(RemoveRows(parts, chunk, *row, /*sync=*/true));
  LOG_WARN("chunk of no file set aside chunk={} pg={} bytes={} file={}", chunk.id(), group,
           uint64_t{row->present_blocks} * kBlockSize, AsideFileName(aside));
  return true;
}

Status TakeBackHalfSetAside(StoreParts& parts) {
  ASSIGN_OR_RETURN(std::vector<AsideFile> files, parts.files.ListAside());
  std::reverse(files.begin(), files.end());  // of one chunk the youngest is the one on its way
  for (const AsideFile& file : files) {
    ASSIGN_OR_RETURN(const std::optional<ChunkRow> row, parts.index->Chunk(file.id));
    if (!row || !row->sealed || row->present_blocks == 0 || parts.files.Exists(file.id)) continue;
    RETURN_IF_ERROR(internal::StatusOf(parts.files.MoveBack(file)));
    RETURN_IF_ERROR(parts.health.Fatal(parts.files.SyncMoveBack(file.id)));
    LOG_INFO("chunk was being set aside, it is back chunk={}", file.id);
  }
  return OkStatus();
}

Status RemoveOldAside(StoreParts& parts) {
  const Duration now = parts.clock.Now().since_boot;
  const Duration looked_at = parts.aside_looked_at.load();
  if (looked_at != Duration::zero() && now - looked_at < kAsideLookEvery) return OkStatus();
  parts.aside_looked_at = now;
  ASSIGN_OR_RETURN(const std::vector<AsideFile> files, parts.files.ListAside());
  const int64_t oldest_kept = parts.clock.WallNow().seconds - kAsideKept.count();
  for (const AsideFile& file : files) {
    if (file.seconds > oldest_kept) continue;
    const Status removed = parts.files.RemoveAside(file);
    if (removed.code() == ErrorCode::kNotFound) continue;  // by hand
    RETURN_IF_ERROR(removed);
    LOG_INFO("chunk set aside a day ago deleted chunk={}", file.id);
  }
  return OkStatus();
}

}  // namespace cairn

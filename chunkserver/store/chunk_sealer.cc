#include "chunkserver/store/chunk_sealer.h"

#include <set>
#include <string>
#include <vector>

#include "common/thread.h"

namespace cairn {
namespace {

using Dirty = UnsealedChunks::Dirty;

// From here on one syncfs is cheaper than a journal commit for each file.
constexpr size_t kFewChunks = 16;
constexpr size_t kManyRemovals = 10'000;

Status SyncFile(StoreParts& parts, ChunkId id) {
  std::shared_ptr<Chunk> chunk = parts.chunks.Get(id);
  std::shared_ptr<File> file;
  {
    absl::ReaderMutexLock lock(&chunk->mu);
    ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk->Row());
    if (!row) return OkStatus();  // removed meanwhile: its file may be doomed
    ASSIGN_OR_RETURN(file, chunk->OpenFile(/*create=*/false));
  }
  return file ? parts.health.Fatal(file->Sync()) : OkStatus();
}

Status SyncFew(StoreParts& parts, const std::vector<Dirty>& dirty) {
  std::set<std::string> folders_done;
  for (const Dirty& chunk : dirty) {
    if (!chunk.data_synced) RETURN_IF_ERROR(SyncFile(parts, chunk.id));
    if (chunk.entry_synced || !folders_done.insert(ChunkFolder(chunk.id)).second) continue;
    RETURN_IF_ERROR(parts.health.Fatal(parts.files.SyncEntry(chunk.id)));
  }
  return OkStatus();
}

Status SyncData(StoreParts& parts, const std::vector<Dirty>& dirty) {
  if (dirty.empty()) return OkStatus();
  RETURN_IF_ERROR(dirty.size() <= kFewChunks ? SyncFew(parts, dirty)
                                             : parts.health.Fatal(parts.files.SyncAll()));
  for (const Dirty& chunk : dirty) parts.unsealed.NoteSynced(chunk);
  return OkStatus();
}

bool NeedsSync(const Dirty& chunk) {
  return !chunk.data_synced || !chunk.entry_synced;
}

// Data and index at the same time: both wait for the disk.
Status SyncDataAndIndex(StoreParts& parts, const std::vector<Dirty>& dirty) {
  if (dirty.empty()) return parts.health.Fatal(parts.index->Sync());
  Status index;
  Thread syncs_index("chunk-index", [&] { index = parts.index->Sync(); });
  Status data = SyncData(parts, dirty);
  syncs_index.Join();
  RETURN_IF_ERROR(parts.health.Fatal(std::move(index)));
  return data;
}

// Writes the seal if the chunk is still as it was when it was synced.
Result<bool> SealOne(StoreParts& parts, const Dirty& synced) {
  std::shared_ptr<Chunk> chunk = parts.chunks.Get(synced.id);
  absl::WriterMutexLock lock(&chunk->mu);
  std::optional<Dirty> now = parts.unsealed.Find(synced.id);
  if (!now || now->change != synced.change || parts.doubts.HasSuspects(synced.id)) return false;
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk->Row());
  if (!row) return false;
  ASSIGN_OR_RETURN(row->digest, parts.index->View().Digest(synced.id));
  row->sealed = true;
  IndexBatch batch;
  batch.PutChunk(synced.id, *row);
  batch.MarkSealed(synced.id);
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Write(batch, /*sync=*/false)));
  chunk->SetRow(*row);
  parts.unsealed.Forget(synced.id);
  return true;
}

}  // namespace

Status SyncChunks(StoreParts& parts, std::span<const ChunkId> ids) {
  std::vector<Dirty> dirty;
  for (ChunkId id : ids) {
    std::optional<Dirty> chunk = parts.unsealed.Find(id);
    if (chunk && NeedsSync(*chunk)) dirty.push_back(*chunk);
  }
  return SyncDataAndIndex(parts, dirty);
}

Status SyncAllChunks(StoreParts& parts) {
  std::vector<Dirty> dirty;
  for (const Dirty& chunk : parts.unsealed.All()) {
    if (NeedsSync(chunk)) dirty.push_back(chunk);
  }
  return SyncDataAndIndex(parts, dirty);
}

Result<size_t> SealChunks(StoreParts& parts, BootTime moment) {
  std::vector<Dirty> idle, dirty;
  for (const Dirty& chunk : parts.unsealed.IdleSince(moment)) {
    if (parts.doubts.HasSuspects(chunk.id)) continue;
    idle.push_back(chunk);
    if (NeedsSync(chunk)) dirty.push_back(chunk);
  }
  RETURN_IF_ERROR(SyncData(parts, dirty));
  size_t sealed = 0;
  for (const Dirty& chunk : idle) {
    ASSIGN_OR_RETURN(bool done, SealOne(parts, chunk));
    sealed += done ? 1 : 0;
  }
  if (sealed > 0) RETURN_IF_ERROR(parts.health.Fatal(parts.index->Sync()));
  return sealed;
}

Status SyncManyRemovals(StoreParts& parts) {
  return parts.files.RemovedCount() < kManyRemovals ? OkStatus()
                                                    : parts.health.Fatal(parts.files.SyncAll());
}

Status RemoveDoomedFiles(StoreParts& parts) {
  const std::vector<ChunkId> doomed = parts.files.Doomed();
  if (doomed.empty()) return OkStatus();
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Sync()));
  for (ChunkId id : doomed) {
    std::shared_ptr<Chunk> chunk = parts.chunks.Get(id);
    absl::WriterMutexLock lock(&chunk->mu);
    if (!parts.files.IsDoomed(id)) continue;
    chunk->Reset();  // nobody may write to the removed file
    RETURN_IF_ERROR(parts.files.RemoveDoomed(id));
  }
  return OkStatus();
}

}  // namespace cairn

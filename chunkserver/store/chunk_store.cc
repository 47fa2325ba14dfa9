#include "chunkserver/store/chunk_store.h"

#include <algorithm>

#include "chunkserver/store/chunk_change.h"
#include "chunkserver/store/chunk_cut.h"
#include "chunkserver/store/chunk_reader.h"
#include "chunkserver/store/chunk_recovery.h"
#include "chunkserver/store/chunk_sealer.h"
#include "chunkserver/store/chunk_writer.h"
#include "chunkserver/store/set_aside.h"
#include "chunkserver/store/store_parts.h"

namespace cairn {
namespace {

// So many removed files may wait for the index to reach the disk.
constexpr size_t kMostDoomedFiles = 1024;

// Checks arguments and the disk's health, takes the chunk's lock, and leaves the rest to the parts.
class LocalChunkStore final : public ChunkStore {
 public:
  LocalChunkStore(const ChunkStoreOptions& options, std::unique_ptr<ChunkIndex> index)
      : parts_(options, std::move(index)) {}

  Status Prepare() { return parts_.health.Note(parts_.files.Prepare()); }
  Status Recover(bool clean_stop) { return parts_.health.Note(RecoverChunks(parts_, clean_stop)); }

  Status Write(const ChunkWrite& write) override {
    RETURN_IF_ERROR(CheckWrite(write));
    auto attempt = [&](Chunk& chunk) { return WriteChunk(parts_, chunk, write); };
    Status status = Change(write.id, attempt);
    if (status.code() != ErrorCode::kNoSpace || parts_.files.DoomedCount() == 0) return status;
    RETURN_IF_ERROR(parts_.health.Note(RemoveDoomedFiles(parts_)));
    return Change(write.id, attempt);
  }

  Result<ChunkRead> Read(ChunkId id, const FileState& file, uint32_t offset,
                         uint32_t length) override;

  Status Sync(std::span<const ChunkId> ids) override {
    RETURN_IF_ERROR(parts_.health.Check());
    return parts_.health.Note(SyncChunks(parts_, ids));
  }
  Status SyncAll() override {
    RETURN_IF_ERROR(parts_.health.Check());
    return parts_.health.Note(SyncAllChunks(parts_));
  }

  Status Remove(ChunkId id, const FileState& file, bool whole) override {
    RETURN_IF_ERROR(CheckChunkId(id));
    RETURN_IF_ERROR(CheckFileState(file));
    RETURN_IF_ERROR(
        Change(id, [&](Chunk& chunk) { return RemoveByRule(parts_, chunk, file, whole); }));
    return LimitDoomedFiles();
  }
  Status Drop(ChunkId id) override {
    RETURN_IF_ERROR(Change(id, [&](Chunk& chunk) { return DropChunk(parts_, chunk); }));
    return LimitDoomedFiles();
  }

  Result<bool> SetAside(ChunkId id, PgId group) override {
    bool done = false;
    RETURN_IF_ERROR(Change(id, [&](Chunk& chunk) -> Status {
      ASSIGN_OR_RETURN(done, SetChunkAside(parts_, chunk, group));
      return OkStatus();
    }));
    return done;
  }

  Result<std::optional<ChunkInfo>> Info(ChunkId id) override {
    RETURN_IF_ERROR(parts_.health.Check());
    return Noted(InfoOf(parts_.index->View(), id));
  }
  Result<std::vector<ChunkInfo>> List(PgId group, std::optional<ChunkId> after,
                                      size_t limit) override;
  Result<std::vector<ChunkInfo>> ListUnsealed(PgId group, std::optional<ChunkId> after,
                                              size_t limit) override;
  Result<std::vector<StoredChunk>> ListStored(std::optional<ChunkId> after,
                                              size_t limit) override;
  GroupUsage Usage(PgId group) override { return parts_.usage.Of(group); }
  Result<std::optional<ChunkBlocks>> Blocks(ChunkId id) override {
    RETURN_IF_ERROR(parts_.health.Check());
    std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
    absl::ReaderMutexLock lock(&chunk->mu);
    return Noted(BlocksOf(parts_, *chunk));
  }
  Result<SharedChunk> Share(ChunkId id, const FileState& file) override;
  Result<ChunkRead> FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) override;
  Status InstallBlocks(const BlockInstall& install) override {
    RETURN_IF_ERROR(CheckInstall(install));
    return Change(install.info.id,
                  [&](Chunk& chunk) { return InstallChunkBlocks(parts_, chunk, install); });
  }

  std::vector<ChunkId> Suspects(PgId group) override { return parts_.doubts.SuspectChunks(group); }
  Status Adopt(ChunkId id) override {
    return Change(id, [&](Chunk& chunk) { return AdoptSuspects(parts_, chunk); });
  }

  Result<size_t> SealIdle() override {
    RETURN_IF_ERROR(parts_.health.Check());
    const Duration now = parts_.clock.Now().since_boot;
    Result<size_t> sealed = Noted(SealChunks(parts_, BootTime{now - timing::kSealIdle}));
    if (sealed.has_value()) RETURN_IF_ERROR(parts_.health.Note(RemoveDoomedFiles(parts_)));
    if (sealed.has_value()) RETURN_IF_ERROR(parts_.health.Note(SyncManyRemovals(parts_)));
    if (sealed.has_value()) RETURN_IF_ERROR(parts_.health.Note(RemoveOldAside(parts_)));
    return sealed;
  }

  Result<BlockCheck> Check(ChunkId id, uint32_t first_block, uint32_t count) override;
  Status StoreScrubMark(const ScrubMark& mark) override {
    RETURN_IF_ERROR(parts_.health.Check());
    IndexBatch batch;
    batch.PutScrubMark(mark);
    return parts_.health.Fatal(parts_.index->Write(batch, /*sync=*/false));
  }
  Result<ScrubMark> LoadScrubMark() override {
    RETURN_IF_ERROR(parts_.health.Check());
    return Noted(parts_.index->LoadScrubMark());
  }

  Result<DiskSpace> Space() override {
    RETURN_IF_ERROR(parts_.health.Check());
    return Noted(parts_.files.Space());
  }
  ChunkStoreCounters Counters() override {
    return {.checksum_errors = parts_.checksum_errors, .adopted_blocks = parts_.adopted_blocks};
  }

  Status Close() override {
    RETURN_IF_ERROR(SyncAll());
    RETURN_IF_ERROR(Noted(SealChunks(parts_, BootTime{Duration::max()})));
    RETURN_IF_ERROR(parts_.health.Note(RemoveDoomedFiles(parts_)));
    RETURN_IF_ERROR(parts_.health.Fatal(parts_.index->Sync()));
    // Names that were removed: a start after a clean stop does not look for files without rows.
    RETURN_IF_ERROR(parts_.health.Fatal(parts_.files.SyncAll()));
    parts_.health.Close();
    return OkStatus();
  }

 private:
  template <typename T>
  Result<T> Noted(Result<T> result) {
    if (!result.has_value()) return Fail(parts_.health.Note(std::move(result.error())));
    return result;
  }
  // Runs `change` under the chunk's exclusive lock.
  template <typename Function>
  Status Change(ChunkId id, Function change) {
    RETURN_IF_ERROR(parts_.health.Check());
    std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
    absl::WriterMutexLock lock(&chunk->mu);
    const ChunkChange under_way(parts_.changes, id);
    return parts_.health.Note(change(*chunk));
  }
  Status LimitDoomedFiles() {
    if (parts_.files.DoomedCount() < kMostDoomedFiles) return OkStatus();
    return parts_.health.Note(RemoveDoomedFiles(parts_));
  }
  Result<ChunkRead> ReadLocked(Chunk& chunk, const FileState& file, uint32_t offset,
                               uint32_t length, bool settle);
  Result<std::vector<ChunkInfo>> InfosOf(const IndexView& view, const std::vector<ChunkId>& ids);
  Result<SharedChunk> ShareLocked(Chunk& chunk, const FileState& file);
  Result<ChunkRead> FetchLocked(Chunk& chunk, uint32_t first_block, uint32_t count, bool settle);
  Result<BlockCheck> CheckLocked(Chunk& chunk, uint32_t first_block, uint32_t count, bool settle);

  StoreParts parts_;
};

// Cuts that the chunk missed are shown, not made: what a reader says of the file may be false.
// REQUIRES: the chunk's lock is held.
Result<ChunkRead> LocalChunkStore::ReadLocked(Chunk& chunk, const FileState& file, uint32_t offset,
                                              uint32_t length, bool settle) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) return ChunkRead{.absent = true, .data = {}, .crcs = {}};
  RETURN_IF_ERROR(CheckFits(chunk.id(), *row, file));
  return ReadBlocks(parts_, chunk, offset / kBlockSize, length / kBlockSize, settle,
                    MissedCut(chunk.id(), *row, file).value_or(kNoCut));
}

Result<ChunkRead> LocalChunkStore::Read(ChunkId id, const FileState& file, uint32_t offset,
                                        uint32_t length) {
  RETURN_IF_ERROR(parts_.health.Check());
  RETURN_IF_ERROR(CheckChunkId(id));
  RETURN_IF_ERROR(CheckFileState(file));
  if (offset % kBlockSize != 0 || length % kBlockSize != 0 || length == 0 ||
      uint64_t{offset} + length > file.chunk_size) {
    return Fail(ErrorCode::kInvalidArgument, "read of {} bytes at {} of chunk {}", length, offset,
                id);
  }
  std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
  {
    absl::ReaderMutexLock lock(&chunk->mu);
    Result<ChunkRead> read = Noted(ReadLocked(*chunk, file, offset, length, /*settle=*/false));
    if (read.has_value() || read.error().code() != ErrorCode::kCorruption) return read;
  }
  absl::WriterMutexLock lock(&chunk->mu);
  return Noted(ReadLocked(*chunk, file, offset, length, /*settle=*/true));
}

Result<std::vector<ChunkInfo>> LocalChunkStore::List(PgId group, std::optional<ChunkId> after,
                                                     size_t limit) {
  RETURN_IF_ERROR(parts_.health.Check());
  // One view for all, so that no chunk's row and CRCs are of different moments; no chunk's lock.
  const IndexView view = parts_.index->View();
  ASSIGN_OR_RETURN(std::vector<ChunkId> ids, Noted(view.Group(group, after, limit)));
  return InfosOf(view, ids);
}

Result<std::vector<ChunkInfo>> LocalChunkStore::ListUnsealed(PgId group,
                                                             std::optional<ChunkId> after,
                                                             size_t limit) {
  RETURN_IF_ERROR(parts_.health.Check());
  std::vector<ChunkId> ids = parts_.unsealed.OfGroup(group);
  if (after) ids.erase(ids.begin(), std::upper_bound(ids.begin(), ids.end(), *after));
  if (ids.size() > limit) ids.resize(limit);
  return InfosOf(parts_.index->View(), ids);
}

Result<std::vector<StoredChunk>> LocalChunkStore::ListStored(std::optional<ChunkId> after,
                                                             size_t limit) {
  RETURN_IF_ERROR(parts_.health.Check());
  std::vector<StoredChunk> chunks;
  const Status listed = parts_.index->View().VisitChunks(
      after, limit, [&](ChunkId id, const ChunkRow& row) {
        chunks.push_back({id, row.group, uint64_t{row.present_blocks} * kBlockSize});
      });
  RETURN_IF_ERROR(parts_.health.Note(listed));
  return chunks;
}

Result<std::vector<ChunkInfo>> LocalChunkStore::InfosOf(const IndexView& view,
                                                        const std::vector<ChunkId>& ids) {
  std::vector<ChunkInfo> infos;
  infos.reserve(ids.size());
  for (ChunkId id : ids) {
    ASSIGN_OR_RETURN(std::optional<ChunkInfo> info, Noted(InfoOf(view, id)));
    if (info) infos.push_back(*info);
  }
  return infos;
}

// REQUIRES: the chunk's lock is held.
Result<SharedChunk> LocalChunkStore::ShareLocked(Chunk& chunk, const FileState& file) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) return Fail(ErrorCode::kChunkMissing, "no chunk {} here", chunk.id());
  RETURN_IF_ERROR(CheckFits(chunk.id(), *row, file));
  if (MissedCut(chunk.id(), *row, file) || parts_.doubts.HasSuspects(chunk.id())) {
    return Fail(ErrorCode::kBusy, "chunk {} is to be changed before it is read", chunk.id());
  }
  Result<std::optional<ChunkBlocks>> blocks = BlocksOf(parts_, chunk);
  RETURN_IF_ERROR(blocks);
  SharedChunk shared;
  shared.blocks = *std::move(*blocks);
  ASSIGN_OR_RETURN(shared.file, parts_.files.OpenToShare(chunk.id()));
  return shared;
}

// What fails here is no disk's fault: a missing descriptor is found by whoever reads in earnest.
Result<SharedChunk> LocalChunkStore::Share(ChunkId id, const FileState& file) {
  RETURN_IF_ERROR(parts_.health.Check());
  RETURN_IF_ERROR(CheckFileState(file));
  std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
  if (!chunk->mu.ReaderTryLock()) {
    return Fail(ErrorCode::kBusy, "chunk {} is being changed", id);
  }
  Result<SharedChunk> shared = ShareLocked(*chunk, file);
  chunk->mu.ReaderUnlock();
  return shared;
}

// REQUIRES: the chunk's lock is held.
Result<ChunkRead> LocalChunkStore::FetchLocked(Chunk& chunk, uint32_t first_block, uint32_t count,
                                               bool settle) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) return Fail(ErrorCode::kChunkMissing, "no chunk {} here", chunk.id());
  if (count == 0 || uint64_t{first_block} + count > row->chunk_size / kBlockSize) {
    return Fail(ErrorCode::kInvalidArgument, "blocks {} + {} of chunk {}", first_block, count,
                chunk.id());
  }
  return ReadBlocks(parts_, chunk, first_block, count, settle);
}

Result<ChunkRead> LocalChunkStore::FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) {
  RETURN_IF_ERROR(parts_.health.Check());
  std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
  {
    absl::ReaderMutexLock lock(&chunk->mu);
    Result<ChunkRead> read = Noted(FetchLocked(*chunk, first_block, count, /*settle=*/false));
    if (read.has_value() || read.error().code() != ErrorCode::kCorruption) return read;
  }
  absl::WriterMutexLock lock(&chunk->mu);
  return Noted(FetchLocked(*chunk, first_block, count, /*settle=*/true));
}

// REQUIRES: the chunk's lock is held.
Result<BlockCheck> LocalChunkStore::CheckLocked(Chunk& chunk, uint32_t first_block, uint32_t count,
                                                bool settle) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  const uint32_t blocks = row ? row->chunk_size / kBlockSize : 0;
  if (first_block >= blocks) return BlockCheck();
  return CheckBlocks(parts_, chunk, first_block, std::min(count, blocks - first_block), settle);
}

Result<BlockCheck> LocalChunkStore::Check(ChunkId id, uint32_t first_block, uint32_t count) {
  RETURN_IF_ERROR(parts_.health.Check());
  std::shared_ptr<Chunk> chunk = parts_.chunks.Get(id);
  {
    absl::ReaderMutexLock lock(&chunk->mu);
    Result<BlockCheck> check = Noted(CheckLocked(*chunk, first_block, count, /*settle=*/false));
    if (!check.has_value() || check->bad_blocks.empty()) return check;
  }
  absl::WriterMutexLock lock(&chunk->mu);
  return Noted(CheckLocked(*chunk, first_block, count, /*settle=*/true));
}

Result<std::unique_ptr<ChunkIndex>> OpenIndex(const ChunkStoreOptions& options) {
  if (options.open_index == nullptr) {
    return ChunkIndex::Open(options.directory + "/index", options.unclean_boot);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<IndexDatabase> database, options.open_index());
  return ChunkIndex::Open(std::move(database));
}

}  // namespace

Result<std::unique_ptr<ChunkStore>> ChunkStore::Open(const ChunkStoreOptions& options) {
  RETURN_IF_ERROR(options.files->MakeDirectory(options.directory));
  ASSIGN_OR_RETURN(std::unique_ptr<ChunkIndex> index, OpenIndex(options));
  auto store = std::make_unique<LocalChunkStore>(options, std::move(index));
  RETURN_IF_ERROR(store->Prepare());
  RETURN_IF_ERROR(store->Recover(options.clean_stop));
  return std::unique_ptr<ChunkStore>(std::move(store));
}

}  // namespace cairn

// A ChunkStore in memory, with the real one's answers, for tests of what stands on it. Disasters
// are one line each.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/store/chunk_store.h"

namespace cairn {

// Thread-safe. Keeps its contents when the "process" around it is restarted.
class FakeChunkStore final : public ChunkStore {
 public:
  // One byte of the block is no longer what was written.
  void Corrupt(ChunkId id, uint32_t block);
  // The block and its CRC are other ones than were written, under the same version: no disk does
  // that, only a bug.
  void Diverge(ChunkId id, uint32_t block, char content);
  // As after a kill -9 between data and CRC: the bytes are `content`, the CRC is the old one.
  void MakeSuspect(ChunkId id, uint32_t block, char content);
  // Every write answers this from now on; ok ends it.
  void FailWrites(Status status);
  void SetAvailable(uint64_t bytes);
  // Called for every Write before anything changes. Set while nothing is written.
  void OnWrite(std::function<void(const ChunkWrite&)> hook) { on_write_ = std::move(hook); }
  // Called for every InstallBlocks. Set before the server runs or while nothing is installed.
  void OnInstall(std::function<void()> hook) { on_install_ = std::move(hook); }

  // Called for every Drop before anything changes. Set while nothing is dropped.
  void OnDrop(std::function<void(ChunkId)> hook) { on_drop_ = std::move(hook); }
  // All chunks are sealed, until they are written again.
  void SealAll();

  bool Has(ChunkId id) const;
  std::string Bytes(
      ChunkId id) const;             // up to the last written block; never-written ones are zeros
  bool IsDurable(ChunkId id) const;  // synced since its last change
  int write_count() const;
  int list_count() const;  // of List()

  Status Write(const ChunkWrite& write) override;
  Result<ChunkRead> Read(ChunkId id, const FileState& file, uint32_t offset,
                         uint32_t length) override;
  Status Sync(std::span<const ChunkId> ids) override;
  Status SyncAll() override;
  Status Remove(ChunkId id, const FileState& file, bool whole) override;
  Status Drop(ChunkId id) override;
  // What was set aside is gone for good here.
  Result<bool> SetAside(ChunkId id, PgId group) override;
  Result<std::optional<ChunkInfo>> Info(ChunkId id) override;
  Result<std::vector<ChunkInfo>> List(PgId group, std::optional<ChunkId> after,
                                      size_t limit) override;
  Result<std::vector<ChunkInfo>> ListUnsealed(PgId group, std::optional<ChunkId> after,
                                              size_t limit) override;
  Result<std::vector<StoredChunk>> ListStored(std::optional<ChunkId> after,
                                              size_t limit) override;
  GroupUsage Usage(PgId group) override;
  Result<std::optional<ChunkBlocks>> Blocks(ChunkId id) override;
  Result<ChunkRead> FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) override;
  Result<BlockCheck> Check(ChunkId id, uint32_t first_block, uint32_t count) override;
  Status InstallBlocks(const BlockInstall& install) override;
  std::vector<ChunkId> Suspects(PgId group) override;
  Status Adopt(ChunkId id) override;
  Result<size_t> SealIdle() override { return size_t{0}; }
  Status StoreScrubMark(const ScrubMark& mark) override;
  Result<ScrubMark> LoadScrubMark() override;
  Result<DiskSpace> Space() override;
  ChunkStoreCounters Counters() override;
  Status Close() override { return OkStatus(); }

 private:
  struct Block {
    std::string bytes;
    uint32_t crc = 0;
    bool suspect = false;
    bool Matches() const;
  };
  struct Chunk {
    ChunkInfo info;
    PgId group;
    std::map<uint32_t, Block> blocks;
    bool durable = false;
  };
  std::vector<ChunkInfo> ListLocked(PgId group, std::optional<ChunkId> after, size_t limit,
                                    bool unsealed_only) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  static void Cut(Chunk& chunk, const FileState& file);
  static void UpdateDigest(Chunk& chunk);
  Result<ChunkRead> ReadBlocks(Chunk& chunk, uint32_t first, uint32_t count)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::function<void()> on_install_;
  std::function<void(const ChunkWrite&)> on_write_;
  std::function<void(ChunkId)> on_drop_;
  mutable absl::Mutex mu_;
  std::map<ChunkId, Chunk> chunks_ ABSL_GUARDED_BY(mu_);
  Status write_failure_ ABSL_GUARDED_BY(mu_);
  uint64_t available_ ABSL_GUARDED_BY(mu_) = uint64_t{1} << 40;
  ChunkStoreCounters counters_ ABSL_GUARDED_BY(mu_);
  int writes_ ABSL_GUARDED_BY(mu_) = 0;
  int lists_ ABSL_GUARDED_BY(mu_) = 0;
  ScrubMark scrub_mark_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

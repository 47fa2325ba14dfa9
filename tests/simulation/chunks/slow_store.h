// A chunk store whose calls take virtual time, before and after they take effect: other threads run
// meanwhile, as they would while this one waits for the disk.
#pragma once

#include <functional>
#include <memory>

#include "chunkserver/store/chunk_store.h"
#include "tests/simulation/chunks/chunk_disk.h"
#include "tests/simulation/chunks/fibers.h"

namespace cairn::simulation::chunks {

class SlowStore final : public ChunkStore {
 public:
  // `written` hears of every write that was carried out.
  // Of 1000 times that blocks are looked at for repair or scrub, `passing` meet a mismatch that is
  // gone when they look again.
  SlowStore(ChunkStore& below, ChunkDisk& disk, Random& random, Time latency, int passing,
            std::function<void(const ChunkWrite&)> written)
      : below_(below),
        disk_(disk),
        random_(random),
        latency_(latency),
        passing_(passing),
        written_(std::move(written)) {}

  Status Write(const ChunkWrite& write) override;
  Result<ChunkRead> Read(ChunkId id, const FileState& file, uint32_t offset,
                         uint32_t length) override;
  Status Sync(std::span<const ChunkId> ids) override;
  Status SyncAll() override;
  Status Remove(ChunkId id, const FileState& file, bool whole) override;
  Status Drop(ChunkId id) override;
  Result<std::optional<ChunkInfo>> Info(ChunkId id) override;
  Result<std::vector<ChunkInfo>> List(PgId group, std::optional<ChunkId> after,
                                      size_t limit) override;
  Result<std::vector<ChunkInfo>> ListUnsealed(PgId group, std::optional<ChunkId> after,
                                              size_t limit) override;
  Result<std::vector<StoredChunk>> ListStored(std::optional<ChunkId> after, size_t limit) override {
    return below_.ListStored(after, limit);
  }
  Result<bool> SetAside(ChunkId id, PgId group) override { return below_.SetAside(id, group); }
  GroupUsage Usage(PgId group) override { return below_.Usage(group); }
  Result<std::optional<ChunkBlocks>> Blocks(ChunkId id) override;
  Result<ChunkRead> FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) override;
  Result<BlockCheck> Check(ChunkId id, uint32_t first_block, uint32_t count) override;
  Status InstallBlocks(const BlockInstall& install) override;
  std::vector<ChunkId> Suspects(PgId group) override { return below_.Suspects(group); }
  Status Adopt(ChunkId id) override;
  Result<size_t> SealIdle() override;
  Status StoreScrubMark(const ScrubMark& mark) override { return below_.StoreScrubMark(mark); }
  Result<ScrubMark> LoadScrubMark() override { return below_.LoadScrubMark(); }
  Result<DiskSpace> Space() override { return below_.Space(); }
  ChunkStoreCounters Counters() override { return below_.Counters(); }
  Status Close() override { return below_.Close(); }

 private:
  template <typename Call>
  auto Slowly(int factor, Call call);

  template <typename Call>
  auto Looking(Call call);

  ChunkStore& below_;
  ChunkDisk& disk_;
  Random& random_;
  const Time latency_;
  const int passing_;
  const std::function<void(const ChunkWrite&)> written_;
};

}  // namespace cairn::simulation::chunks

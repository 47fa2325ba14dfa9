// What the parts of one chunk store share. Order of locks: Chunk::mu, Chunk::loading_, then any
// one of the locks inside the members here; those are leaves.
#pragma once

#include <atomic>
#include <memory>

#include "chunkserver/store/block_doubts.h"
#include "chunkserver/store/chunk_files.h"
#include "chunkserver/store/chunk_index.h"
#include "chunkserver/store/chunk_store.h"
#include "chunkserver/store/chunk_table.h"
#include "chunkserver/store/disk_health.h"
#include "chunkserver/store/group_usage.h"
#include "chunkserver/store/unsealed_chunks.h"

namespace cairn {

// `wanted`, but at most half of what the process may open: without a descriptor nothing can be
// read, and that would look like a broken disk.
size_t OpenFileBudget(int wanted);

// Thread-safe, as every member is.
struct StoreParts {
  StoreParts(const ChunkStoreOptions& options, std::unique_ptr<ChunkIndex> opened_index)
      : clock(*options.clock),
        opened(clock.Now()),
        changes(options.changes != nullptr ? *options.changes : NoChunkChanges()),
        health(options.disk_failed),
        files(*options.files, options.directory),
        room(*options.files, options.directory),
        index(std::move(opened_index)),
        chunks(*index, files, OpenFileBudget(options.max_open_files)) {}

  const Clock& clock;
  const BootTime opened;
  ChunkChanges& changes;
  DiskHealth health;
  ChunkFiles files;
  RoomGuard room;
  std::unique_ptr<ChunkIndex> index;
  ChunkTable chunks;
  BlockDoubts doubts;
  UnsealedChunks unsealed;
  GroupUsages usage;
  std::atomic<uint64_t> checksum_errors{0};
  std::atomic<uint64_t> adopted_blocks{0};
  std::atomic<Duration> aside_looked_at{Duration::zero()};  // since boot
};

// Counts and logs a block that does not match although nothing excuses it, once until it is mended.
void ReportDamage(StoreParts& parts, ChunkId id, uint32_t block);

// Arguments from outside.
Status CheckChunkId(ChunkId id);
Status CheckChunkSize(uint32_t chunk_size);
Status CheckFileState(const FileState& file);
// That `row` has the chunk size the caller believes in, and no later stamp.
Status CheckFits(ChunkId id, const ChunkRow& row, const FileState& file);

}  // namespace cairn

// Calls of the Chunk service, for one file at a time: finds the primary, proves who asks and under
// which cuts, and tries again when the placement group or the file has moved on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "client/cluster_map.h"
#include "client/executor.h"
#include "client/inode_state.h"
#include "client/local_reads.h"
#include "client/near_full.h"
#include "client/unsynced_chunks.h"
#include "rpc/channel_pool.h"

namespace cairn::client {

// One CRC32C per piece: `data` cut where the chunk's blocks end. `offset` is data's place in the
// chunk.
std::vector<uint32_t> PieceCrcs(std::span<const std::byte> data, uint64_t offset);

// Thread-safe.
class ChunkClient {
 public:
  ChunkClient(ChannelPool* channels, ClusterMapCache* map, MetadataClient* metadata,
              Executor* executor, NearFull* near_full, LocalReads* local);

  // Blocks [offset, offset + length) of the file, verified; inside one window. Never-written blocks
  // are zeros. kIoError: every copy is gone or damaged.
  Result<Payload> Read(const InodeStatePtr& state, uint64_t offset, size_t length, bool must_exist,
                       Deadline deadline);
  // Reads of chunk `index` come from its file on this host: the kernel reads ahead of them.
  bool ReadsLocally(const InodeState& state, uint32_t index) const
      ABSL_SHARED_LOCKS_REQUIRED(state.mu);
  // One try, answered into `ahead` on another thread.
  void ReadAhead(const InodeStatePtr& state, const ReadAheadPtr& ahead, Deadline deadline);

  // Under which generation of the file, in which epoch of its group bytes were taken.
  struct Taken {
    uint64_t generation = 0;
    Epoch epoch;
    bool unannounced = false;  // not taken: the file was cut, and they lie past its size now (L5)
  };
  using WriteDone = std::function<void(Status, Taken)>;
  // Writes inside one window. Sends on this thread; `done` runs once, on any thread, and must not
  // block. Retries carry the same sequence.
  void Write(const InodeStatePtr& state, uint64_t offset, Payload data, Deadline deadline,
             WriteDone done);

  struct SyncOutcome {
    Status status;
    UnsyncedChunks left;  // not on disk
    // Not ok: copies lost power, and what this mount had written may be gone with it. That is said
    // once: the chunks were synced after it as they are now, or are left without own writes.
    Status lost;
  };
  // On return the chunks are on disk on every active copy. One request per primary, all at once.
  // Fails when for `patience` not one more of them got there.
  SyncOutcome Sync(const InodeStatePtr& state, UnsyncedChunks chunks, Duration patience);

 private:
  friend class ChunkWrite;
  struct Target {
    Route route;
    std::shared_ptr<Channel> channel;
    v1::ChunkAddress address;
  };
  // A try that failed.
  struct Failure {
    Status status;
    BootTime began;
    BootTime failed;
  };
  // Who to ask about chunk `index` now. kIoError: the session the file was opened under is gone.
  Result<Target> Aim(const InodeStatePtr& state, uint32_t index, TokenUse use, Deadline deadline);
  // Whether `status` may be cured by trying again; if so does what it calls for (fetches the map,
  // the file's cuts or its tokens). May block.
  static bool Curable(const Status& status);
  void Cure(const InodeStatePtr& state, const Failure& failure, Deadline deadline);
  Result<Payload> ReadOnce(const InodeStatePtr& state, uint64_t offset, size_t length,
                           bool must_exist, Deadline deadline);
  Status SyncOnce(const InodeStatePtr& state, SyncOutcome& outcome, Deadline deadline);

  ChannelPool* const channels_;
  ClusterMapCache* const map_;
  MetadataClient* const metadata_;
  Executor* const executor_;
  NearFull* const near_full_;
  LocalReads* const local_;
  std::atomic<uint64_t> next_sequence_;
};

}  // namespace cairn::client

// ChunkStore keeps the chunks of one disk and verifies every block it reads. It knows nothing about
// placement groups' members, epochs or replication; the group is only a key to list by.
// Layout and crash behaviour: chunkserver/store/README.md, docs/formats/chunk_store.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chunkserver/store/chunk_changes.h"
#include "chunkserver/store/chunk_format.h"
#include "chunkserver/store/group_usage.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/ids.h"
#include "common/status.h"
#include "rpc/payload.h"

namespace cairn {

class IndexDatabase;

struct FileCut {
  uint64_t generation = 0;
  uint64_t length = 0;  // of the file, bytes
};

// What a caller knows of the file the chunk belongs to.
struct FileState {
  uint32_t chunk_size = kDefaultChunkSize;
  uint64_t generation = 0;
  std::vector<FileCut> cuts;  // lengths grow with generations
};

struct ChunkWrite {
  ChunkId id;
  PgId group;
  FileState file;
  ChunkVersion version;
  uint32_t offset = 0;  // in the chunk
  std::span<const std::byte> data;
  std::span<const uint32_t> crcs;  // one per piece of data cut at multiples of kBlockSize
  SessionId session;
  uint64_t sequence = 0;
  // A primary has given it its version: it is refused only when the last of the room, which the
  // index needs, would go (rule C7).
  bool ordered = false;
};

// What a primary leaves free when it admits writes. Ordered writes may use three quarters of it.
uint64_t AdmissionReserve(const DiskSpace& space);

struct ChunkRead {
  bool absent = false;  // no such chunk here
  Payload data;
  std::vector<uint32_t> crcs;  // one per block of data
};

struct ChunkInfo {
  ChunkId id;
  ChunkVersion version;
  uint64_t generation = 0;  // stamp: cuts up to here have been applied
  uint32_t digest = 0;      // CRC32C over block CRCs and presence
  SessionId last_session;   // of the last write
  uint64_t last_sequence = 0;
  bool sealed = false;
  uint32_t chunk_size = 0;  // bytes
  uint32_t present_blocks = 0;
};

struct ChunkBlocks {
  ChunkInfo info;
  std::vector<uint32_t> crcs;  // [0, last written block]; 0 where never written
  std::vector<bool> present;   // same size
  std::vector<bool>
      suspect;  // same size: the bytes do not match the CRC, found after an unclean stop
};

// A chunk that somebody else on this host reads by himself.
struct SharedChunk {
  ChunkBlocks blocks;
  Descriptor file;  // its data file, read-only
};

// What reading a run of blocks from the disk showed.
struct BlockCheck {
  uint32_t present_blocks = 0;
  std::vector<uint32_t> bad_blocks;  // do not match their CRC; suspect ones are not counted
};

// Blocks copied from another member; see InstallBlocks.
struct BlockInstall {
  ChunkInfo info;  // the chunk's version, stamp and last request afterwards
  PgId group;
  uint32_t chunk_size = kDefaultChunkSize;
  uint32_t first_block = 0;
  std::span<const std::byte> data;  // whole blocks; may be empty
  std::span<const uint32_t> crcs;
  std::vector<uint32_t> absent_blocks;  // these become never-written, whatever `data` has for them
  // An active member has them and this one must (rule C6): may use the room for ordered writes.
  bool ordered = false;
};

struct StoredChunk {
  ChunkId id;
  PgId group;
  uint64_t bytes = 0;  // of blocks that are present
};

struct ChunkStoreCounters {
  uint64_t checksum_errors = 0;  // blocks of settled chunks that did not match their CRC
  uint64_t adopted_blocks = 0;   // suspect blocks accepted as they are
};

struct ChunkStoreOptions {
  std::string directory;
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  bool clean_stop = false;    // the last process closed the store in order
  bool unclean_boot = false;  // not clean, and the machine booted since
  int max_open_files = 4096;
  // Opens the rows of the index; LevelDB in `directory`/index when there is none.
  std::function<Result<std::unique_ptr<IndexDatabase>>()> open_index = nullptr;
  // Hears once that the disk has failed and why: from then on the store refuses every call. May run
  // on any thread, with a chunk's lock held; it must not call the store.
  std::function<void(const Status&)> disk_failed = nullptr;
  // Hears of every change of a chunk's bytes, with the chunk's lock held; null: nobody does.
  ChunkChanges* changes = nullptr;
};

// Thread-safe. Operations on one chunk exclude each other as reads and writes do.
class ChunkStore {
 public:
  // After an unclean stop every unsealed chunk is verified first; blocks that do not match become
  // suspect.
  static Result<std::unique_ptr<ChunkStore>> Open(const ChunkStoreOptions& options);
  virtual ~ChunkStore() = default;  // closes without syncing, as a crash would; see Close

  // Replaces bytes [offset, offset + data.size()). On return they are in the page cache: they
  // survive this process, not a power cut. The chunk is created when absent. Data first, then CRCs,
  // version and (session, sequence) in one index batch.
  // kCorruption: a piece does not match its CRC, nothing is changed. kStaleGeneration: the chunk
  // carries a later stamp. kInvalidArgument: the range or the chunk size. kNoSpace: blocks that are
  // not present need room, and the reserve would be touched. kDiskFailed.
  virtual Status Write(const ChunkWrite& write) = 0;

  // `offset` and `length` are multiples of kBlockSize inside the chunk. Never-written blocks are
  // zeros, and so is what lies beyond a cut that the chunk has missed (rule C9). Changes nothing.
  // kCorruption: a block does not match under the chunk's lock (rule C12), counted once per block;
  // kStaleGeneration as above.
  virtual Result<ChunkRead> Read(ChunkId id, const FileState& file, uint32_t offset,
                                 uint32_t length) = 0;

  // Data and index of these chunks are on disk on return; absent ones are skipped.
  // kDiskFailed: an fsync failed; the store refuses every later call.
  virtual Status Sync(std::span<const ChunkId> ids) = 0;
  // All chunks.
  virtual Status SyncAll() = 0;

  // Removes the chunk, or with `whole` false applies the cuts, unless it carries a later stamp
  // (equal too when removing by cut). Absent is ok.
  virtual Status Remove(ChunkId id, const FileState& file, bool whole) = 0;
  // Unconditionally, for catch-up.
  virtual Status Drop(ChunkId id) = 0;
  // Takes a chunk whose file does not exist out of the store, on disk on return; its data file is
  // kept for a day under another name (rule C11). False: no such chunk in this group.
  // kBusy: it may have been changed within timing::kSealIdle, and nothing happened.
  virtual Result<bool> SetAside(ChunkId id, PgId group) = 0;

  virtual Result<std::optional<ChunkInfo>> Info(ChunkId id) = 0;
  // Chunks of the group after `after` in order of id, at most `limit`.
  virtual Result<std::vector<ChunkInfo>> List(PgId group, std::optional<ChunkId> after,
                                              size_t limit) = 0;
  // The same of those that are not sealed: what was written lately.
  virtual Result<std::vector<ChunkInfo>> ListUnsealed(PgId group, std::optional<ChunkId> after,
                                                      size_t limit) = 0;
  // All chunks after `after` in order of id, whatever their group, at most `limit`.
  virtual Result<std::vector<StoredChunk>> ListStored(std::optional<ChunkId> after,
                                                      size_t limit) = 0;
  // How much of the group is here.
  virtual GroupUsage Usage(PgId group) = 0;
  virtual Result<std::optional<ChunkBlocks>> Blocks(ChunkId id) = 0;
  // The chunk's file as it is, for a reader who checks the blocks himself: what he reads is right
  // as long as no change begins. Does not wait: kBusy when the chunk is being changed, missed a cut
  // or has suspect blocks. kChunkMissing; kStaleGeneration as for Read; kNotSupported: files of
  // this store are not given away.
  virtual Result<SharedChunk> Share(ChunkId id, const FileState& /*file*/) {
    return Fail(ErrorCode::kNotSupported, "chunk {} is not shared", id);
  }
  // Whole blocks, verified; kCorruption if one is suspect or does not match, kChunkMissing.
  virtual Result<ChunkRead> FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) = 0;
  // Reads blocks of [first_block, first_block + count) from the disk, not from the page cache where
  // that can be had, and compares them with their CRCs. Bad ones are counted as Read does (rule
  // C12). A chunk that is absent or shorter has none there.
  virtual Result<BlockCheck> Check(ChunkId id, uint32_t first_block, uint32_t count) = 0;
  // Puts blocks and version in place as they are on the source; clears suspicion of these blocks.
  // All or nothing for readers and for the next start.
  virtual Status InstallBlocks(const BlockInstall& install) = 0;

  // Chunks with suspect blocks in this group, after an unclean stop.
  virtual std::vector<ChunkId> Suspects(PgId group) = 0;
  // Accepts the suspect blocks of this chunk as they are now, counted: they matched nowhere. The
  // chunk's last request is forgotten, for it may be what they lack (rule C8).
  virtual Status Adopt(ChunkId id) = 0;

  // Syncs chunks that have not been written for timing::kSealIdle and marks them sealed (rule C5).
  // Returns how many. What was set aside more than a day ago goes. Called from time to time by the
  // owner.
  virtual Result<size_t> SealIdle() = 0;

  // Not synced: after a power cut it may be an older one.
  virtual Status StoreScrubMark(const ScrubMark& mark) = 0;
  virtual Result<ScrubMark> LoadScrubMark() = 0;  // a default one where none was stored

  virtual Result<DiskSpace> Space() = 0;
  virtual ChunkStoreCounters Counters() = 0;
  // Everything is on disk on return; no call is allowed afterwards.
  virtual Status Close() = 0;
};

}  // namespace cairn

// How a chunk is changed, whoever changes it: first nothing on disk may call the chunk sealed, then
// the data, then rows and CRCs in one index batch. A crash between data and CRCs leaves blocks that
// do not match in an unsealed chunk: suspects. REQUIRES of everything here: the chunk's lock is
// held exclusively.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "chunkserver/store/store_parts.h"

namespace cairn {

// New CRCs of a chunk's blocks, kept aside until the data is in place.
class BlockEdits {
 public:
  explicit BlockEdits(Chunk& chunk) : chunk_(chunk) {}

  // Before the edits; nothing when the block was never written.
  Result<std::optional<uint32_t>> OldCrc(uint32_t block);
  Status Set(uint32_t block, uint32_t crc);
  Status Clear(uint32_t block);

  bool empty() const { return changed_.empty(); }
  const std::vector<uint32_t>& changed() const { return changed_; }
  // By how many the chunk's present blocks grow, or shrink.
  int32_t added_blocks() const { return added_blocks_; }
  void AddTo(IndexBatch& batch) const;
  // Makes the chunk's cached rows show the edits.
  void Publish();

 private:
  Result<CrcRow*> Load(uint32_t block);
  Chunk& chunk_;
  std::map<uint32_t, CrcRow> rows_;
  std::vector<uint32_t> changed_;
  int32_t added_blocks_ = 0;
};

// Bytes that go to one place of the data file.
struct Extent {
  uint64_t offset = 0;
  std::span<const std::byte> data;
  bool in_place = false;  // over blocks that are present
};

// A block's bytes as they are, to be merged with new ones. kCorruption: damaged. A suspect block is
// taken as it is, and `adopted` counts it.
Status ReadForMerge(StoreParts& parts, Chunk& chunk, uint32_t block, uint32_t crc,
                    std::span<std::byte> out, uint32_t& adopted);

// A block was taken as a crash left it: it may lack what this request wrote, whose retry is to be
// run, not answered (rule C8).
void ForgetLastRequest(ChunkRow& row);

// Makes the chunk unsealed on disk if it is sealed, and clears away an earlier chunk of this id.
Status BeginChange(StoreParts& parts, Chunk& chunk);
// kNoSpace: of blocks that are present, those that were half written became suspect; others look as
// before.
Status WriteExtents(StoreParts& parts, Chunk& chunk, const std::vector<Extent>& extents);
// The bytes of blocks that are not present become zeros, their room is given back. Blocks stop
// being present before: a crash on the way leaves bytes, which the next start erases. Not on disk
// on return: a caller whose blocks had bytes that count syncs before they may be present again,
// else a power cut could show the old ones under a new row.
Status EraseBlocks(StoreParts& parts, Chunk& chunk, std::vector<uint32_t> blocks);
// The chunk's bytes, its file's size and holes are on disk on return. For what every later access
// to the chunk has to wait for; syncs of clients do not hold the lock (chunk_sealer).
Status SyncBytes(StoreParts& parts, Chunk& chunk);
// Row and CRCs in one batch; the edited blocks are above doubt afterwards.
// `row`'s count of present blocks is filled in.
Status CommitChange(StoreParts& parts, Chunk& chunk, ChunkRow row, BlockEdits& edits);

// Removes the chunk with all its rows. Absent is ok.
Status DropChunk(StoreParts& parts, Chunk& chunk);
// Removes all rows of the chunk, on disk when `sync`, and leaves its file to the caller.
// REQUIRES: `row` is the chunk's.
Status RemoveRows(StoreParts& parts, Chunk& chunk, const ChunkRow& row, bool sync);

}  // namespace cairn

// The files of a run: what the metaserver would know of them (generation, cuts, written chunks),
// and what each of their sectors may hold.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cairn/v1/chunk.pb.h"
#include "common/ids.h"
#include "tests/simulation/chunks/block_truth.h"
#include "tests/simulation/chunks/chunk_world.h"

namespace cairn::simulation::chunks {

inline constexpr uint32_t kChunkBytes = kMinChunkSize;
// Blocks in use: the first ones, and some on both sides of the end of the first CRC row.
inline constexpr std::array<uint32_t, 10> kBlocksInUse = {0, 1, 2, 3, 4, 5, 62, 63, 64, 65};

struct SimulatedFile {
  InodeId inode;
  uint64_t generation = 1;
  std::vector<v1::Cut> cuts;
  std::set<uint32_t> runs;  // chunks that hold written bytes
  uint64_t trimmed = 1;     // generation up to which the chunks were trimmed
  // Sessions with operations under way, once for each; a write that was given up may still arrive,
  // and counts until its session has passed on.
  std::multiset<SessionId> holders;
  bool removed = false;
  SessionId last_holder{};  // let go of it when its name was gone already; or nobody
  bool reaped = false;      // and its chunks were, on all active members
};

struct AcknowledgedWrite {
  uint32_t offset = 0;  // in the chunk
  uint32_t length = 0;
  uint64_t tag = 0;
  Time from{};  // when it began
  Time to{};    // when it was acknowledged
};

// Confined to the run.
class FileTruth {
 public:
  explicit FileTruth(ChunkWorld& world) : world_(world) {}

  InodeId MakeFile();
  SimulatedFile& file(InodeId inode) { return files_.at(inode); }
  std::vector<InodeId> Live() const;
  const std::map<InodeId, SimulatedFile>& files() const { return files_; }

  PgId GroupOf(ChunkId id) const;
  // With what the file is now; epoch and session are the caller's.
  v1::ChunkAddress AddressOf(ChunkId id) const;

  // A write of [offset, offset + length) of the chunk, whole sectors, full of `tag`. Once more
  // before it is sent to another primary: only the chunk's last write is known to all, an earlier
  // one is run again (chunkserver/replication/README.md, retries).
  void BeginWrite(ChunkId id, uint32_t offset, uint32_t length, uint64_t tag, SessionId session);
  // It was acknowledged to a request that was sent when it was `asked`.
  void EndWrite(ChunkId id, const AcknowledgedWrite& write, Time asked);
  // Bytes that were read between `from` and now; empty: the chunk is absent, a hole.
  void Read(ChunkId id, uint32_t offset, uint32_t length, std::string_view bytes, Time from);
  // An fsync that began at `from` was answered ok, and so promises `written`: what its client wrote
  // and has not synced before. Should power have been lost since then, it is there all the same.
  void Synced(ChunkId id, Time from, const std::vector<AcknowledgedWrite>& written);
  // Truncates to `length` bytes of the file; committed at once.
  void Truncate(InodeId inode, uint64_t length);
  // Takes the file's name away; another file takes its place. `last_holder` had it open until now.
  void Remove(InodeId inode, SessionId last_holder = SessionId());
  // The files that it holds and nobody else does.
  std::vector<InodeId> HeldBy(SessionId session) const;
  // What the session wrote is in place or never will be, and it holds nothing any more.
  void EndSession(SessionId session);
  // A bit of a copy of the block flipped. If all power goes while the block is written over, a part
  // of what was there before may be back, and nobody can tell that it was bad.
  void NoteFlip(ChunkId id, uint32_t block) { flipped_.insert({id, block}); }
  // All members of the group that counted lost their power.
  void Lose(PgId group);
  bool was_lost(PgId group) const { return lost_.contains(group); }
  // Since then; what was answered before it says nothing about what is there now.
  bool WasLostSince(ChunkId id, Time when) const;

  uint64_t NewTag() { return ++last_tag_; }
  uint64_t reads() const { return reads_; }
  uint64_t writes() const { return writes_; }

 private:
  void Settle(ChunkId id, const AcknowledgedWrite& write);
  BlockTruth& At(ChunkId id, uint32_t sector) { return sectors_[id][sector]; }

  ChunkWorld& world_;
  uint64_t last_inode_ = 100;
  uint64_t last_tag_ = 0;
  uint64_t reads_ = 0;
  uint64_t writes_ = 0;
  std::map<InodeId, SimulatedFile> files_;
  std::map<ChunkId, std::map<uint32_t, BlockTruth>> sectors_;
  std::map<PgId, Time> lost_;  // when, the last time
  std::set<std::pair<ChunkId, uint32_t>> flipped_;
};

// A sector full of the tag, and what it says; nothing when it is no sector of ours.
void FillSectors(std::span<std::byte> bytes, uint64_t tag);
std::optional<uint64_t> TagOfSector(std::string_view bytes);

}  // namespace cairn::simulation::chunks

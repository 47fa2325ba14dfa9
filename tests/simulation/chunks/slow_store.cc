#include "tests/simulation/chunks/slow_store.h"

#include "tests/simulation/chunks/chunk_bug.h"

namespace cairn::simulation::chunks {

template <typename Call>
auto SlowStore::Slowly(int factor, Call call) {
  Fibers& fibers = *Fibers::Current();
  fibers.Sleep(random_.Between(Time(0), latency_ * factor));
  auto result = call();
  fibers.Sleep(random_.Between(Time(0), latency_));
  return result;
}

// A read beside a write may see a mismatch (rule C12). Nothing here runs at the same moment, so the
// disk plays it: the first read of the call, under the shared lock, is wrong, the next is not.
template <typename Call>
auto SlowStore::Looking(Call call) {
  return Slowly(1, [&] {
    // A bug: the mismatch is believed, as if it were there under the exclusive lock too.
    const int reads = ChunkBugIs(ChunkBug::kMismatchBelieved) ? 100 : 1;
    if (passing_ > 0 && random_.Chance(passing_)) disk_.SpoilReads(reads);
    auto result = call();
    disk_.SpoilReads(0);
    return result;
  });
}

Status SlowStore::Write(const ChunkWrite& write) {
  return Slowly(1, [&] {
    Status status = below_.Write(write);
    if (status.ok()) written_(write);
    return status;
  });
}

Result<ChunkRead> SlowStore::Read(ChunkId id, const FileState& file, uint32_t offset,
                                  uint32_t length) {
  return Slowly(1, [&]() -> Result<ChunkRead> {
    Result<ChunkRead> read = below_.Read(id, file, offset, length);
    const bool is_bad = !read.has_value() && read.error().code() == ErrorCode::kCorruption;
    if (!is_bad || !ChunkBugIs(ChunkBug::kDamageServed)) return read;
    ChunkRead bad;
    bad.data = Payload::Allocate(length);
    bad.crcs.resize(length / kBlockSize);
    CAIRN_CHECK(disk_.Peek(ChunkDisk::PathOf(id), offset, bad.data.writable()));
    return bad;
  });
}

Status SlowStore::Sync(std::span<const ChunkId> ids) {
  return Slowly(10, [&] { return below_.Sync(ids); });
}

Status SlowStore::SyncAll() {
  if (ChunkBugIs(ChunkBug::kActiveUnsynced)) return OkStatus();
  return Slowly(20, [&] { return below_.SyncAll(); });
}

Result<BlockCheck> SlowStore::Check(ChunkId id, uint32_t first_block, uint32_t count) {
  return Looking([&]() -> Result<BlockCheck> {
    Result<BlockCheck> check = below_.Check(id, first_block, count);
    if (check.has_value() && ChunkBugIs(ChunkBug::kDamageOverlooked)) check->bad_blocks.clear();
    return check;
  });
}

Status SlowStore::Remove(ChunkId id, const FileState& file, bool whole) {
  return Slowly(1, [&] { return below_.Remove(id, file, whole); });
}

Status SlowStore::Drop(ChunkId id) {
  return Slowly(1, [&] { return below_.Drop(id); });
}

Result<std::optional<ChunkInfo>> SlowStore::Info(ChunkId id) {
  return Slowly(1, [&] { return below_.Info(id); });
}

Result<std::vector<ChunkInfo>> SlowStore::List(PgId group, std::optional<ChunkId> after,
                                               size_t limit) {
  return Slowly(1, [&] { return below_.List(group, after, limit); });
}

Result<std::vector<ChunkInfo>> SlowStore::ListUnsealed(PgId group, std::optional<ChunkId> after,
                                                       size_t limit) {
  return Slowly(1, [&] { return below_.ListUnsealed(group, after, limit); });
}

Result<std::optional<ChunkBlocks>> SlowStore::Blocks(ChunkId id) {
  return Slowly(1, [&] { return below_.Blocks(id); });
}

Result<ChunkRead> SlowStore::FetchBlocks(ChunkId id, uint32_t first_block, uint32_t count) {
  return Looking([&] { return below_.FetchBlocks(id, first_block, count); });
}

Status SlowStore::InstallBlocks(const BlockInstall& install) {
  return Slowly(1, [&] { return below_.InstallBlocks(install); });
}

Status SlowStore::Adopt(ChunkId id) {
  return Slowly(1, [&] { return below_.Adopt(id); });
}

Result<size_t> SlowStore::SealIdle() {
  return Slowly(10, [&] { return below_.SealIdle(); });
}

}  // namespace cairn::simulation::chunks

#include "chunkserver/store/chunk_change.h"

#include <algorithm>
#include <array>

#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn {
namespace {

std::vector<uint32_t> BlocksUnder(const Extent& extent) {
  const uint64_t end = extent.offset + extent.data.size();
  std::vector<uint32_t> blocks;
  for (uint64_t at = extent.offset / kBlockSize * kBlockSize; at < end; at += kBlockSize) {
    blocks.push_back(static_cast<uint32_t>(at / kBlockSize));
  }
  return blocks;
}

// After the disk had no room: which of the blocks under `extent` lost their old bytes?
Status SuspectHalfWritten(StoreParts& parts, Chunk& chunk, PgId group, const Extent& extent) {
  std::array<std::byte, kBlockSize> bytes;
  BlockEdits rows(chunk);
  for (uint32_t block : BlocksUnder(extent)) {
    ASSIGN_OR_RETURN(std::optional<uint32_t> crc, rows.OldCrc(block));
    RETURN_IF_ERROR(chunk.ReadBytes(uint64_t{block} * kBlockSize, bytes));
    if (!crc || Crc32c(bytes) == *crc) continue;
    LOG_WARN("disk full in the middle of a block chunk={} block={}", chunk.id(), block);
    parts.doubts.AddSuspect(chunk.id(), group, block);
  }
  return OkStatus();
}

Status AfterNoSpace(StoreParts& parts, Chunk& chunk, const std::vector<Extent>& extents) {
  chunk.ForgetSize();
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) {
    chunk.Reset();
    // A file that stays is doomed.
    Status removed = parts.files.Remove(chunk.id());
    return removed.code() == ErrorCode::kNoSpace ? OkStatus() : removed;
  }
  for (const Extent& extent : extents) {
    RETURN_IF_ERROR(extent.in_place ? SuspectHalfWritten(parts, chunk, row->group, extent)
                                    : EraseBlocks(parts, chunk, BlocksUnder(extent)));
  }
  parts.unsealed.NoteChange(chunk.id(), row->group, parts.clock.Now());
  return SyncBytes(parts, chunk);
}

// For disks that cannot punch: what is there is overwritten, which as a rule needs no room.
Status ZeroBlock(Chunk& chunk, File& file, uint64_t offset) {
  static constexpr std::array<std::byte, kBlockSize> kZeros{};
  std::array<std::byte, kBlockSize> bytes;
  RETURN_IF_ERROR(chunk.ReadBytes(offset, bytes));
  if (bytes == kZeros) return OkStatus();
  Status written = file.Write(offset, kZeros);
  if (written.code() != ErrorCode::kNoSpace) return written;
  LOG_WARN("no room to erase a block chunk={} offset={}", chunk.id(), offset);
  return OkStatus();
}

Status EraseRun(Chunk& chunk, File& file, uint64_t offset, uint64_t end) {
  Status punched = file.PunchHole(offset, end - offset);
  const bool cannot =
      punched.code() == ErrorCode::kNotSupported || punched.code() == ErrorCode::kNoSpace;
  if (!cannot) return punched;
  for (; offset < end; offset += kBlockSize) RETURN_IF_ERROR(ZeroBlock(chunk, file, offset));
  return OkStatus();
}

Status WriteInOrder(Chunk& chunk, File& file, const std::vector<Extent>& extents) {
  // What needs room goes first: if there is none, nothing a reader can see has changed yet.
  for (bool in_place : {false, true}) {
    for (const Extent& extent : extents) {
      if (extent.in_place != in_place) continue;
      RETURN_IF_ERROR(file.Write(extent.offset, extent.data));
      chunk.NoteWritten(extent.offset + extent.data.size());
    }
  }
  return OkStatus();
}

}  // namespace

Result<CrcRow*> BlockEdits::Load(uint32_t block) {
  const uint32_t row_number = block / kBlocksPerRow;
  auto it = rows_.find(row_number);
  if (it == rows_.end()) {
    ASSIGN_OR_RETURN(CrcRow row, chunk_.Crcs(row_number));
    it = rows_.emplace(row_number, row).first;
  }
  return &it->second;
}

Result<std::optional<uint32_t>> BlockEdits::OldCrc(uint32_t block) {
  ASSIGN_OR_RETURN(CrcRow * row, Load(block));
  const uint32_t bit = block % kBlocksPerRow;
  return row->Has(bit) ? std::optional<uint32_t>(row->crcs[bit]) : std::nullopt;
}

Status BlockEdits::Set(uint32_t block, uint32_t crc) {
  ASSIGN_OR_RETURN(CrcRow * row, Load(block));
  added_blocks_ += row->Has(block % kBlocksPerRow) ? 0 : 1;
  row->Set(block % kBlocksPerRow, crc);
  changed_.push_back(block);
  return OkStatus();
}

Status BlockEdits::Clear(uint32_t block) {
  ASSIGN_OR_RETURN(CrcRow * row, Load(block));
  added_blocks_ -= row->Has(block % kBlocksPerRow) ? 1 : 0;
  row->Clear(block % kBlocksPerRow);
  changed_.push_back(block);
  return OkStatus();
}

void BlockEdits::AddTo(IndexBatch& batch) const {
  for (const auto& [row_number, row] : rows_) batch.PutCrcs(chunk_.id(), row_number, row);
}

void BlockEdits::Publish() {
  for (const auto& [row_number, row] : rows_) chunk_.SetCrcs(row_number, row);
}

Status ReadForMerge(StoreParts& parts, Chunk& chunk, uint32_t block, uint32_t crc,
                    std::span<std::byte> out, uint32_t& adopted) {
  RETURN_IF_ERROR(chunk.ReadBytes(uint64_t{block} * kBlockSize, out));
  if (Crc32c(out) == crc) return OkStatus();
  if (parts.doubts.IsSuspect(chunk.id(), block)) {
    ++adopted;
    return OkStatus();
  }
  ReportDamage(parts, chunk.id(), block);
  return Status::Error(ErrorCode::kCorruption, "chunk {} block {} is damaged", chunk.id(), block);
}

void ForgetLastRequest(ChunkRow& row) {
  row.last_session = SessionId();
  row.last_sequence = 0;
}

Status BeginChange(StoreParts& parts, Chunk& chunk) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row && parts.files.IsDoomed(chunk.id())) {
    RETURN_IF_ERROR(parts.health.Fatal(parts.index->Sync()));
    RETURN_IF_ERROR(parts.files.RemoveDoomed(chunk.id()));
    chunk.Reset();
  }
  if (!row || !row->sealed) return OkStatus();
  row->sealed = false;
  IndexBatch batch;
  batch.PutChunk(chunk.id(), *row);
  batch.MarkUnsealed(chunk.id());
  // Durable before the first byte changes: after a power cut a sealed block that does not match is
  // damage, and must not be a write that was under way.
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Write(batch, /*sync=*/true)));
  chunk.SetRow(*row);
  parts.unsealed.NoteChange(chunk.id(), row->group, parts.clock.Now());
  return OkStatus();
}

Status WriteExtents(StoreParts& parts, Chunk& chunk, const std::vector<Extent>& extents) {
  if (extents.empty()) return OkStatus();
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, chunk.OpenFile(/*create=*/false));
  if (!file) {
    RETURN_IF_ERROR(parts.health.Fatal(parts.files.SyncRemoval(chunk.id())));
    ASSIGN_OR_RETURN(file, chunk.OpenFile(/*create=*/true));
    parts.unsealed.NoteNewFile(chunk.id());
  }
  Status status = WriteInOrder(chunk, *file, extents);
  if (status.ok()) return status;
  if (status.code() != ErrorCode::kNoSpace) return parts.health.Fatal(std::move(status));
  RETURN_IF_ERROR(parts.health.Fatal(AfterNoSpace(parts, chunk, extents)));
  return status;
}

Status SyncBytes(StoreParts& parts, Chunk& chunk) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, chunk.OpenFile(/*create=*/false));
  return file ? parts.health.Fatal(file->Sync()) : OkStatus();
}

Status EraseBlocks(StoreParts& parts, Chunk& chunk, std::vector<uint32_t> blocks) {
  ASSIGN_OR_RETURN(std::shared_ptr<File> file, chunk.OpenFile(/*create=*/false));
  if (!file) return OkStatus();
  ASSIGN_OR_RETURN(const uint64_t size, chunk.FileSize());
  std::erase_if(blocks, [&](uint32_t block) { return uint64_t{block} * kBlockSize >= size; });
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  for (size_t i = 0; i < blocks.size();) {
    size_t run = 1;
    while (i + run < blocks.size() && blocks[i + run] == blocks[i] + run) ++run;
    const uint64_t offset = uint64_t{blocks[i]} * kBlockSize;
    const uint64_t end = offset + run * kBlockSize;
    RETURN_IF_ERROR(parts.health.Fatal(EraseRun(chunk, *file, offset, end)));
    i += run;
  }
  return OkStatus();
}

Status CommitChange(StoreParts& parts, Chunk& chunk, ChunkRow row, BlockEdits& edits) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> before, chunk.Row());
  row.present_blocks = before ? before->present_blocks : 0;
  row.present_blocks += static_cast<uint32_t>(edits.added_blocks());
  IndexBatch batch;
  batch.PutChunk(chunk.id(), row);
  edits.AddTo(batch);
  if (!before) batch.MarkUnsealed(chunk.id());
  if (before && before->group != row.group) batch.RemoveFromGroup(before->group, chunk.id());
  if (!before || before->group != row.group) batch.AddToGroup(row.group, chunk.id());
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Write(batch, /*sync=*/false)));
  chunk.SetRow(row);
  edits.Publish();
  parts.usage.Replace(chunk.id(), before, row);
  for (uint32_t block : edits.changed()) parts.doubts.Settle(chunk.id(), block);
  parts.unsealed.NoteChange(chunk.id(), row.group, parts.clock.Now());
  return OkStatus();
}

Status RemoveRows(StoreParts& parts, Chunk& chunk, const ChunkRow& row, bool sync) {
  IndexBatch batch;
  batch.RemoveChunk(chunk.id());
  batch.RemoveFromGroup(row.group, chunk.id());
  batch.MarkSealed(chunk.id());
  RETURN_IF_ERROR(
      parts.index->View().VisitCrcs(chunk.id(), 0, [&](uint32_t row_number, const CrcRow&) {
        batch.RemoveCrcs(chunk.id(), row_number);
        return OkStatus();
      }));
  RETURN_IF_ERROR(parts.health.Fatal(parts.index->Write(batch, sync)));
  chunk.Reset();
  parts.doubts.Forget(chunk.id());
  parts.unsealed.Forget(chunk.id());
  parts.usage.Remove(chunk.id(), row);
  return OkStatus();
}

Status DropChunk(StoreParts& parts, Chunk& chunk) {
  ASSIGN_OR_RETURN(std::optional<ChunkRow> row, chunk.Row());
  if (!row) return OkStatus();
  RETURN_IF_ERROR(RemoveRows(parts, chunk, *row, /*sync=*/false));
  if (!row->sealed) return parts.files.Remove(chunk.id());
  parts.files.Doom(chunk.id());
  return OkStatus();
}

}  // namespace cairn

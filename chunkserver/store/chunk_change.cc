#include "chunkserver/store/chunk_change.h"

#include <array>

#include "common/crc32c.h"
#include "common/logging.h"

namespace cairn {
namespace {

// After the disk had no room: which of the blocks under `extent` lost their old bytes?
Status SuspectHalfWritten(StoreParts& parts, Chunk& chunk, PgId group, const Extent& extent) {
  std::array<std::byte, kBlockSize> bytes;
  const uint64_t end = extent.offset + extent.data.size();
  BlockEdits rows(chunk);
  for (uint64_t at = extent.offset / kBlockSize * kBlockSize; at < end; at += kBlockSize) {
    const auto block = static_cast<uint32_t>(at / kBlockSize);
    ASSIGN_OR_RETURN(std::optional<uint32_t> crc, rows.OldCrc(block));
    RETURN_IF_ERROR(chunk.ReadBytes(at, bytes));
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
    // A file that stays has no row: its bytes mean nothing, and a later start removes it.
    Status removed = parts.files.Remove(chunk.id());
    return removed.code() == ErrorCode::kNoSpace ? OkStatus() : removed;
  }
  for (const Extent& extent : extents) {
    if (!extent.in_place) continue;
    RETURN_IF_ERROR(SuspectHalfWritten(parts, chunk, row->group, extent));
  }
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
    ASSIGN_OR_RETURN(file, chunk.OpenFile(/*create=*/true));
    parts.unsealed.NoteNewFile(chunk.id());
  }
  Status status = WriteInOrder(chunk, *file, extents);
  if (status.ok()) return status;
  if (status.code() != ErrorCode::kNoSpace) return parts.health.Fatal(std::move(status));
  RETURN_IF_ERROR(parts.health.Fatal(AfterNoSpace(parts, chunk, extents)));
  return status;
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

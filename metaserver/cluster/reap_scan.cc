#include "metaserver/cluster/reap_scan.h"

#include <algorithm>
#include <optional>

#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

constexpr size_t kMaxRowsPerScan = 10000;

// Orphan and trim keys end in the inode, eight bytes big-endian.
Result<InodeId> InodeOfKey(std::string_view key) {
  if (key.size() != 9) return Fail(ErrorCode::kCorruption, "a key of {} bytes", key.size());
  uint64_t value = 0;
  for (const char byte : key.substr(1)) value = value << 8 | static_cast<uint8_t>(byte);
  return InodeId(value);
}

}  // namespace

// One turn over at most kMaxRowsPerScan rows, beginning where the last turn ended.
template <typename Row>
Status ReapScan::ScanKind(Collecting& collecting, std::string_view prefix, std::string& cursor) {
  if (collecting.full()) return OkStatus();
  size_t rows = 0;
  std::string next;
  const std::string from = cursor.empty() ? std::string(prefix) : cursor;
  const auto visit = [&](std::string_view key, Row row) {
    if (collecting.full() || ++rows > kMaxRowsPerScan) {
      next = key;
      return false;
    }
    const Result<InodeId> inode = InodeOfKey(key);
    collecting.status = inode.has_value() ? Visit(collecting, *inode, row) : inode.error();
    return collecting.status.ok();
  };
  RETURN_IF_ERROR(ScanRows<Row>(collecting.view, prefix, from, visit));
  cursor = next;  // empty at the end: the next turn begins anew
  return collecting.status;
}

Result<std::vector<ReapItem>> ReapScan::Next(const ReadView& view, size_t max_chunks,
                                             uint64_t passed_fences, const Skip& skip) {
  Collecting collecting{view, skip, passed_fences, max_chunks, 0, {}, {}};
  collecting.max_chunks = (max_chunks + 1) / 2;  // neither kind keeps the other waiting
  RETURN_IF_ERROR(ScanKind<v1::TrimRecord>(collecting, schema::kTrimPrefix, trim_cursor_));
  collecting.max_chunks = max_chunks;
  RETURN_IF_ERROR(ScanKind<v1::OrphanRecord>(collecting, schema::kOrphanPrefix, orphan_cursor_));
  return std::move(collecting.items);
}

Status ReapScan::Visit(Collecting& collecting, InodeId inode, const v1::OrphanRecord& orphan) {
  if (orphan.holders_size() > 0 || collecting.skip(inode, true)) return OkStatus();
  if (orphan.after_fence() > collecting.passed_fences) return OkStatus();
  ASSIGN_OR_RETURN(const auto record,
                   LoadRow<v1::InodeRecord>(collecting.view, schema::InodeKey(inode)));
  ASSIGN_OR_RETURN(const auto trim,
                   LoadRow<v1::TrimRecord>(collecting.view, schema::TrimKey(inode)));
  const v1::FileMap file = record ? record->file() : v1::FileMap();
  ChunkRuns runs = file.runs();
  if (trim) AddRuns(runs, trim->runs());  // chunks behind a cut are no longer in the file's
  ReapItem item;
  item.inode = inode;
  item.whole = true;
  item.generation = file.generation();
  AddChunks(collecting, std::move(item), file, runs);
  return OkStatus();
}

Status ReapScan::Visit(Collecting& collecting, InodeId inode, const v1::TrimRecord& trim) {
  if (collecting.skip(inode, false)) return OkStatus();
  if (trim.after_fence() > collecting.passed_fences) return OkStatus();
  ASSIGN_OR_RETURN(const auto record,
                   LoadRow<v1::InodeRecord>(collecting.view, schema::InodeKey(inode)));
  ReapItem item;
  item.inode = inode;
  item.generation = trim.generation();
  AddChunks(collecting, std::move(item), record ? record->file() : v1::FileMap(),
            record ? trim.runs() : ChunkRuns());
  return OkStatus();
}

void ReapScan::AddChunks(Collecting& collecting, ReapItem item, const v1::FileMap& file,
                         const ChunkRuns& runs) {
  const auto progress = progress_.find({item.inode, item.whole});
  // A later cut starts over.
  const bool goes_on =
      progress != progress_.end() && progress->second.generation == item.generation;
  item.layout = file.layout();
  item.done_before = goes_on ? progress->second.chunks_done : 0;
  item.complete = true;
  uint64_t to_skip = item.done_before;
  for (const v1::ChunkRun& run : runs) {
    const uint64_t skipped = std::min<uint64_t>(to_skip, run.count());
    to_skip -= skipped;
    for (uint64_t i = skipped; i < run.count(); ++i) {
      if (collecting.chunks >= collecting.max_chunks) {
        item.complete = false;
        break;
      }
      v1::ChunkAddress& chunk = item.chunks.emplace_back();
      chunk.set_inode(item.inode.value);
      chunk.set_index(static_cast<uint32_t>(run.first() + i));
      chunk.set_chunk_size(file.layout().chunk_size());
      chunk.set_generation(file.generation());
      if (!item.whole) *chunk.mutable_cuts() = file.cuts();
      ++collecting.chunks;
    }
  }
  collecting.items.push_back(std::move(item));
}

void ReapScan::Advance(const ReapItem& item) {
  if (item.complete) {
    progress_.erase({item.inode, item.whole});
  } else {
    progress_[{item.inode, item.whole}] = {item.generation, item.done_before + item.chunks.size()};
  }
}

}  // namespace cairn

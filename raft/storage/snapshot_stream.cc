#include "raft/storage/snapshot_stream.h"

#include <utility>

namespace cairn {

using snapshot_format::kFullBlockBytes;
using snapshot_format::kMaxRowBytes;

SnapshotEncoder::SnapshotEncoder(raft::SnapshotPoint point, std::unique_ptr<RowSource> rows)
    : point_(std::move(point)), rows_(std::move(rows)) {
  ready_ = snapshot_format::EncodeHead(point_, chain_);
}

Result<raft::SnapshotPiece> SnapshotEncoder::PieceAt(uint64_t offset, size_t max_bytes) {
  CAIRN_CHECK(max_bytes > 0);
  if (piece_ && offset == piece_->offset) return *piece_;
  const uint64_t next = piece_ ? piece_->offset + piece_->data.size() : 0;
  if (offset != next || (piece_ && piece_->last)) {
    return Fail(ErrorCode::kInvalidArgument, "no piece of the snapshot begins at {}", offset);
  }
  while (ready_.size() <= max_bytes && !ended_ && failure_.ok()) failure_ = EncodeBlock();
  RETURN_IF_ERROR(failure_);
  piece_ = raft::SnapshotPiece{point_, offset, ready_.substr(0, max_bytes), false, {}};
  ready_.erase(0, max_bytes);
  piece_->last = ended_ && ready_.empty();
  return *piece_;
}

Status SnapshotEncoder::EncodeBlock() {
  std::string block;
  std::string key;
  std::string value;
  while (block.size() < kFullBlockBytes) {
    ASSIGN_OR_RETURN(const bool more, rows_->Next(key, value));
    ended_ = !more;
    if (ended_) break;
    if (key.size() + value.size() > kMaxRowBytes) {
      return Status::Error(ErrorCode::kTooLarge, "a row of {} bytes", key.size() + value.size());
    }
    snapshot_format::AppendRow(key, value, block);
    ++row_count_;
  }
  if (!block.empty()) snapshot_format::AppendBlock(block, chain_, ready_);
  if (ended_) snapshot_format::AppendEnd(row_count_, chain_, ready_);
  return OkStatus();
}

Status SnapshotDecoder::Feed(std::string_view bytes) {
  RETURN_IF_ERROR(failure_);
  rest_ += bytes;
  size_t used = 0;
  for (;;) {
    const Result<size_t> taken = Take(std::string_view(rest_).substr(used));
    if (!taken.has_value()) {
      failure_ = Status::Error(taken.error().code(), "snapshot at {}: {}", offset_,
                               taken.error().message());
      return failure_;
    }
    if (*taken == 0) break;
    used += *taken;
    offset_ += *taken;
  }
  rest_.erase(0, used);
  return OkStatus();
}

Result<size_t> SnapshotDecoder::Take(std::string_view bytes) {
  if (point_) {
    if (!count_.ended) return snapshot_format::DecodeBlock(bytes, on_row_, chain_, count_);
    if (bytes.empty()) return size_t{0};
    return Fail(ErrorCode::kCorruption, "there is more behind the end");
  }
  raft::SnapshotPoint point;
  ASSIGN_OR_RETURN(const size_t taken, snapshot_format::DecodeHead(bytes, point, chain_));
  if (taken > 0) point_ = std::move(point);
  return taken;
}

}  // namespace cairn

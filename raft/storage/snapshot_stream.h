// Turns the rows of a state into the bytes of a snapshot, a piece at a time, and back. However
// large the state is, a few blocks of it are in memory. No I/O. Both classes are thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "raft/core/message.h"
#include "raft/storage/row_source.h"
#include "raft/storage/snapshot_format.h"

namespace cairn {

class SnapshotEncoder {
 public:
  // `rows`: the state as it is at `point`.
  // REQUIRES: the encoded membership has at most snapshot_format::kMaxMembershipBytes.
  SnapshotEncoder(raft::SnapshotPoint point, std::unique_ptr<RowSource> rows);

  // The piece at `offset`, which is where the last one ended, or where it began: then that one
  // comes again, as it was. kInvalidArgument: any other offset; a new encoder begins at 0.
  // kTooLarge: a row is larger than a snapshot can hold. Other errors are those of the rows; after
  // one of these only errors follow.
  // REQUIRES: max_bytes > 0
  Result<raft::SnapshotPiece> PieceAt(uint64_t offset, size_t max_bytes);

  const raft::SnapshotPoint& point() const { return point_; }

 private:
  Status EncodeBlock();

  const raft::SnapshotPoint point_;
  const std::unique_ptr<RowSource> rows_;
  snapshot_format::Chain chain_;
  std::string ready_;  // encoded, not handed out
  uint64_t row_count_ = 0;
  bool ended_ = false;  // the end is in ready_ or was handed out
  std::optional<raft::SnapshotPiece> piece_;  // the last one handed out
  Status failure_;
};

class SnapshotDecoder {
 public:
  // `on_row` gets each row once its block is known to be good; may be empty.
  explicit SnapshotDecoder(snapshot_format::OnRow on_row) : on_row_(std::move(on_row)) {}

  // Takes the bytes that come next. kCorruption: they are not those of a snapshot; names the
  // offset. kNotSupported: another version. After an error only errors follow.
  Status Feed(std::string_view bytes);

  // nullptr: not read yet.
  const raft::SnapshotPoint* point() const { return point_ ? &*point_ : nullptr; }
  // The end was read and all of it is right.
  bool finished() const { return count_.ended && failure_.ok(); }

 private:
  Result<size_t> Take(std::string_view bytes);

  const snapshot_format::OnRow on_row_;
  std::optional<raft::SnapshotPoint> point_;
  snapshot_format::Chain chain_;
  snapshot_format::BlockCount count_;
  std::string rest_;     // not decoded: less than a block
  uint64_t offset_ = 0;  // of rest_ in the snapshot
  Status failure_;
};

}  // namespace cairn

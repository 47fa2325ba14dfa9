// The words in which tests of snapshots speak.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "raft/storage/snapshot_stream.h"

namespace cairn {

using Rows = std::vector<std::pair<std::string, std::string>>;

class RowsOf final : public RowSource {
 public:
  explicit RowsOf(Rows rows) : rows_(std::move(rows)) {}
  Result<bool> Next(std::string& key, std::string& value) override {
    if (next_ == rows_.size()) return false;
    std::tie(key, value) = rows_[next_++];
    return true;
  }

 private:
  const Rows rows_;
  size_t next_ = 0;
};

inline raft::SnapshotPoint PointAt(uint64_t index) {
  return {LogIndex(index), Term(3), {{{ServerId(1), "a:1"}, {ServerId(2), "b:1"}}, {}, {}}};
}

// So many rows, with values of up to `most_bytes`.
inline Rows MakeRows(size_t count, size_t most_bytes, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  Rows rows;
  for (size_t i = 0; i < count; ++i) {
    rows.emplace_back(fmt::format("key{:08}", i),
                      std::string(random() % (most_bytes + 1),
                                  static_cast<char>('a' + random() % 26)));
  }
  return rows;
}

inline SnapshotEncoder EncoderOf(const raft::SnapshotPoint& point, Rows rows) {
  return SnapshotEncoder(point, std::make_unique<RowsOf>(std::move(rows)));
}

// The snapshot in pieces of at most `max_bytes`.
inline std::vector<raft::SnapshotPiece> PiecesOf(const raft::SnapshotPoint& point, Rows rows,
                                                 size_t max_bytes) {
  SnapshotEncoder encoder = EncoderOf(point, std::move(rows));
  std::vector<raft::SnapshotPiece> pieces;
  uint64_t offset = 0;
  do {
    pieces.push_back(*encoder.PieceAt(offset, max_bytes));
    offset += pieces.back().data.size();
  } while (!pieces.back().last);
  return pieces;
}

inline std::string BytesOf(const raft::SnapshotPoint& point, Rows rows) {
  std::string bytes;
  for (const raft::SnapshotPiece& piece : PiecesOf(point, std::move(rows), 1 << 20)) {
    bytes += piece.data;
  }
  return bytes;
}

}  // namespace cairn

// Which chunks of a file the next fsync has to cover, and since when.
#pragma once

#include <cstdint>
#include <limits>
#include <map>

#include "client/run_set.h"
#include "common/ids.h"

namespace cairn::client {

// Nothing that this mount wrote there is unsynced.
inline constexpr Epoch kNoOwnWrite{std::numeric_limits<uint64_t>::max()};

// Chunk indexes, each with the epoch of its placement group in which the oldest write of this mount
// was acknowledged that no fsync has covered (decision 0006). Neighbours that say the same are one
// run. A value. Thread-compatible.
class UnsyncedChunks {
 public:
  struct Run {
    uint64_t end = 0;
    Epoch oldest;
  };

  // An index that is there already keeps the older epoch.
  void Add(uint32_t index, Epoch written) { AddRange(index, uint64_t{index} + 1, written); }
  void AddRange(uint64_t first, uint64_t end, Epoch written);
  void AddAll(const UnsyncedChunks& other);
  // Chunks that hold what others may have written, or this mount long ago.
  void AddUnknown(const RunSet& chunks);

  bool empty() const { return runs_.empty(); }
  uint64_t count() const;
  bool HasOwnWrites() const;
  // The same chunks; that this mount wrote to them is forgotten.
  UnsyncedChunks WithoutOwnWrites() const;
  const std::map<uint64_t, Run>& runs() const { return runs_; }  // first -> end and epoch, disjoint

 private:
  // A run that has `index` inside begins there from now on.
  void SplitAt(uint64_t index);
  // Runs that meet in [first, end] and say the same become one.
  void Merge(uint64_t first, uint64_t end);

  std::map<uint64_t, Run> runs_;
};

}  // namespace cairn::client

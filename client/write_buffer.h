// The bytes of one file that its mount holds and no chunkserver has acknowledged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "rpc/payload.h"

namespace cairn::client {

// Frames to chunkservers never cross a multiple of this, and so never a chunk's end.
inline constexpr uint64_t kWindowBytes = kMaxTransferBytes;
static_assert(kMinChunkSize % kWindowBytes == 0);

// What a segment costs besides its bytes, so that many small ones cannot exceed a bound on memory.
inline constexpr uint64_t kSegmentOverhead = kBlockSize;

inline constexpr uint64_t kNoWrite = std::numeric_limits<uint64_t>::max();

// Contiguous bytes inside one window.
struct Segment {
  uint64_t offset = 0;
  Payload bytes;             // may have room behind `length`
  size_t length = 0;
  uint64_t first_write = 0;  // numbers of the oldest and newest write in it
  uint64_t last_write = 0;
  bool shared = false;       // somebody else reads these bytes: copy before changing them

  uint64_t end() const { return offset + length; }
  Payload payload() const { return bytes.Slice(0, length); }
};

// Dirty segments become frames under way, which become acknowledged. Two frames under way never
// touch the same block, so that no order between them is needed. No thread, no clock: a value.
// Thread-compatible.
class WriteBuffer {
 public:
  // Adds bytes on top of what is there; they may cross windows.
  void Insert(uint64_t offset, std::span<const std::byte> data, uint64_t write);

  // Moves a dirty segment to those under way: the oldest that holds a write of at most `up_to`, or
  // else one whose window is filled to its end. Nothing: none may go now.
  std::optional<Segment> Take(uint64_t up_to);
  // REQUIRES: a segment under way begins at `offset`.
  void Finish(uint64_t offset);
  // Forgets everything that is not under way.
  void DropDirty();

  struct Slice {
    uint64_t offset = 0;
    Payload bytes;
    uint64_t end() const { return offset + bytes.size(); }
  };
  // The held bytes in [offset, offset + length), to be laid over what the servers have, in order.
  std::vector<Slice> Overlap(uint64_t offset, uint64_t length);

  bool empty() const { return dirty_.empty() && under_way_.empty(); }
  size_t under_way() const { return under_way_.size(); }
  uint64_t under_way_bytes() const { return under_way_bytes_; }
  uint64_t charge() const { return charge_; }  // memory, in bytes
  uint64_t end() const;                        // behind the last held byte; 0 when empty
  uint64_t oldest_write() const { return oldest_.empty() ? kNoWrite : *oldest_.begin(); }
  // The lowest offset that holds a write older than `write`; kNoWrite when there is none.
  uint64_t LowestOlderThan(uint64_t write) const;
  // Whether a held byte lies in [begin, end).
  bool Touches(uint64_t begin, uint64_t end) const;

 private:
  using Segments = std::map<uint64_t, Segment>;
  void InsertInWindow(uint64_t offset, std::span<const std::byte> data, uint64_t write);
  void Extend(Segment& segment, uint64_t offset, std::span<const std::byte> data);
  bool Blocked(const Segment& segment) const;
  void Count(const Segment& segment);
  void Discount(const Segment& segment);
  // Lists a dirty segment among those that Take may choose; Unlist takes it off.
  void List(const Segment& segment);
  void Unlist(const Segment& segment);
  std::optional<uint64_t> Choose(uint64_t up_to);

  Segments dirty_;
  // Where dirty segments begin, by their first write. One that was found blocked is not listed
  // until the frame in its way is answered.
  std::set<std::pair<uint64_t, uint64_t>> by_age_;
  std::set<uint64_t> filled_;
  Segments under_way_;
  std::multiset<uint64_t> oldest_;  // first_write of every segment
  uint64_t charge_ = 0;
  uint64_t under_way_bytes_ = 0;
};

}  // namespace cairn::client

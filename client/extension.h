// What a mount may write past the committed size of one file, as it announced it to the metaserver
// (rule L5), and what waits to be announced.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "client/run_set.h"
#include "client/write_buffer.h"

namespace cairn::client {

// A create announces so many chunks (metaserver/operations/extenders.h has the same figure).
inline constexpr uint32_t kChunksOfNewFile = 16;
// At once (metaserver/operations/runs.h).
inline constexpr uint32_t kMaxExtendChunks = 65536;

// A value: WriteBehind asks and sends. The announcement is made once and lasts until the file is
// closed, so that appends cost no round trip each. Thread-compatible.
class Extension {
 public:
  // This mount made the file just now.
  void BeginWithNewFile();
  // May `index` be written past the size?
  bool Covers(uint32_t index) const { return announced_.Contains(index); }

  // A frame, taken out of the buffer, that may go only when it was announced.
  void Wait(Segment frame) { waiting_.push_back(std::move(frame)); }
  bool anyone_waits() const { return !waiting_.empty(); }
  // Those that wait no longer.
  template <typename MayGo>
  std::vector<Segment> TakeReady(uint32_t chunk_size, const MayGo& may_go);
  // The chunks to announce now, for the frame that has waited longest and for as much again as was
  // announced before. nullopt: nothing waits, or not now.
  std::optional<v1::ChunkRun> Ask(uint32_t chunk_size);
  void Announced();
  // What waited can never go.
  std::vector<Segment> Refused();

  // To be asked when nothing of the file is dirty or under way but the commit that is about to be
  // sent: may that one end the announcement? If so nothing is announced until it is answered: an
  // Extend that overtook it would be ended by it.
  bool EndWithCommit();
  // `ended`: the metaserver took the commit.
  void CommitAnswered(bool ended);
  // Bytes past the size may lie on chunkservers, and no commit will tell of them. The announcement
  // lasts as long as the session, whose end cuts them off.
  void Spoil();
  // An earlier handle of this session left it so.
  void BeginSpoilt() { named_ = spoilt_ = true; }

  // What a Close has to say.
  enum class Standing { kNone, kAnnounced, kSpoilt };
  Standing standing() const;

 private:
  RunSet announced_;
  std::vector<Segment> waiting_;
  std::optional<v1::ChunkRun> asked_;  // an Extend is on its way
  bool named_ = false;   // the metaserver may have us down for one who extends the file
  bool ending_ = false;  // a commit that ends it is on its way
  bool spoilt_ = false;
};

template <typename MayGo>
std::vector<Segment> Extension::TakeReady(uint32_t chunk_size, const MayGo& may_go) {
  std::vector<Segment> ready;
  std::vector<Segment> rest;
  for (Segment& frame : std::exchange(waiting_, {})) {
    const bool goes = may_go(frame) || Covers(static_cast<uint32_t>(frame.offset / chunk_size));
    (goes ? ready : rest).push_back(std::move(frame));
  }
  waiting_ = std::move(rest);
  return ready;
}

}  // namespace cairn::client

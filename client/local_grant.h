// The right to read one chunk's file without asking, and the rules by which what was read is
// believed: right CRCs, and a page that showed the same before and after (rules C1, C8).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cairn/v1/chunk.pb.h"
#include "client/local_door.h"
#include "rpc/payload.h"

namespace cairn::client {

// Immutable, thread-safe.
class LocalGrant {
 public:
  // kCorruption: the answer does not fit the chunk that was asked for.
  static Result<std::shared_ptr<const LocalGrant>> Make(LocalDoorPtr door,
                                                        const v1::ChunkAddress& asked,
                                                        LocalDoor::Opened opened);

  // False: chunk or group are not what they were, and it will never be of use again.
  bool IsCurrent() const { return Unchanged(); }
  // It was given for this group, epoch and generation of the file (rule C9).
  bool Fits(const v1::ChunkAddress& chunk) const;

  enum class Outcome {
    kBelieved,
    kChanged,  // the chunk or its group did, or it is just being changed
    kDamaged,  // nothing changed, and yet a block does not match
    kEnded,    // the server has no lease, or is gone, or shut this session out
  };
  struct Read {
    Outcome outcome = Outcome::kEnded;
    Payload bytes;  // kBelieved
  };
  // REQUIRES: whole blocks inside the chunk.
  Read ReadBlocks(const Clock& clock, uint32_t offset, uint32_t length) const;

  const LocalDoor& door() const { return *door_; }

 private:
  LocalGrant() = default;
  bool Unchanged() const;
  bool IsPresent(size_t block) const;
  bool FillBlocks(uint32_t offset, std::span<std::byte> out) const;

  LocalDoorPtr door_;
  Descriptor file_;
  ChunkId id_;
  PgId group_;
  uint64_t epoch_ = 0;
  uint64_t generation_ = 0;
  uint64_t chunk_change_ = 0;
  uint64_t group_change_ = 0;
  std::vector<uint32_t> crcs_;
  std::string present_;  // bit per block
};
using LocalGrantPtr = std::shared_ptr<const LocalGrant>;

}  // namespace cairn::client

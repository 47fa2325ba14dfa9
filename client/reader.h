// Puts a read together from what is buffered, what was read ahead, holes and chunkservers.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "client/chunk_client.h"
#include "client/open_file.h"

namespace cairn::client {

struct ReaderOptions {
  uint64_t ahead_bytes = 32u << 20;
  uint64_t file_cache_bytes = 64u << 20;
  uint64_t total_cache_bytes = 256u << 20;
  Duration timeout = timing::kMountTimeout;
};

// Thread-safe.
class Reader {
 public:
  Reader(ReaderOptions options, ChunkClient* chunks);

  // Bytes [offset, offset + length) up to the end of the file as this mount knows it. The slices
  // share their bytes with the caches; only where buffered bytes lie over others is anything
  // copied.
  Result<std::vector<Payload>> Read(OpenFile& file, uint64_t offset, uint64_t length);

 private:
  // The part of a read that lies in one window, as it was when the read began.
  struct Piece {
    uint64_t begin = 0;
    uint64_t end = 0;
    InodeState::Presence presence = InodeState::Presence::kHole;
    ReadAheadPtr ahead;
    std::vector<WriteBuffer::Slice> held;  // in the order in which they lie over each other
  };
  std::vector<Piece> PlanPieces(InodeState& state, uint64_t offset, uint64_t end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  std::vector<ReadAheadPtr> PlanAhead(InodeState& state, uint64_t read_end, uint64_t ahead_end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mu);
  Result<Payload> ReadPiece(const InodeStatePtr& state, const Piece& piece, Deadline deadline);
  Result<Payload> ReadUnderneath(const InodeStatePtr& state, const Piece& piece,
                                 Deadline deadline);
  // Null when it failed or does not match its checksums: then the servers are asked again.
  Payload TakeAhead(ReadAhead& ahead, const Piece& piece, Deadline deadline);

  const ReaderOptions options_;
  ChunkClient* const chunks_;
  const std::shared_ptr<std::atomic<uint64_t>> cached_bytes_;
  Payload zeros_;
};

}  // namespace cairn::client

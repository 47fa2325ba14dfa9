// Decides whether a client on this host may read a chunk by itself, and says what it needs for
// that. Asks what ReadPath asks (rules C1, C8, C9), but never waits: where a read would wait, mend
// or cut first, the answer is kBusy and the client reads through the primary as always.
#pragma once

#include <utility>

#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/local.pb.h"
#include "chunkserver/local/local_page.h"
#include "chunkserver/replication/replica_context.h"
#include "chunkserver/service/access_gate.h"
#include "common/descriptor.h"

namespace cairn {

struct LocalGrant {
  v1::OpenChunkResponse answer;
  Descriptor file;
  SessionTicket ticket;
};

// Thread-safe.
class LocalGrants {
 public:
  LocalGrants(ReplicaContext& context, AccessGate& gate, const LocalPage& page)
      : context_(context), gate_(gate), page_(page) {}

  // Errors are those of a read, and kBusy, kChunkMissing, kNotSupported.
  Result<LocalGrant> Grant(const v1::ChunkAddress& chunk);
  bool IsShutOut(SessionId session) const;
  int page_descriptor() const { return page_.descriptor(); }

 private:
  // What was true when the question came and must be true still when the answer is made.
  struct Moment {
    uint64_t chunk_change = 0;
    uint64_t group_change = 0;
    friend bool operator==(const Moment&, const Moment&) = default;
  };
  Result<Moment> Look(const v1::ChunkAddress& chunk) const;
  Status CheckStanding(const v1::ChunkAddress& chunk) const;

  ReplicaContext& context_;
  AccessGate& gate_;
  const LocalPage& page_;
};

}  // namespace cairn

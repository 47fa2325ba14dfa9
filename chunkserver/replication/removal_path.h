// Removal and trimming of chunks, on the word of the metaserver (rule C9).
#pragma once

#include "cairn/v1/chunk.pb.h"
#include "chunkserver/replication/replica_context.h"
#include "rpc/dispatcher.h"

namespace cairn {

using RemoveCall = Call<v1::RemoveChunksRequest, v1::RemoveChunksResponse>;

// Removes the chunk here, or trims it, unless it carries a later stamp. REQUIRES: a turn of the
// chunk, or that it is held. Not durable on return.
Status RemoveHere(ReplicaContext& context, ChunkGate& gate, ChunkId id, PgId group,
                  const FileState& file, bool whole);

// Thread-safe.
class RemovalPath {
 public:
  explicit RemovalPath(ReplicaContext& context) : context_(context) {}

  // The chunks are gone, or trimmed, here and on disk on ok; if this server is the primary of their
  // group also at members that are about to become active.
  // kBusy: this primary does not serve yet.
  void Remove(const RemoveCall& call);

 private:
  Status RemoveOne(const v1::ChunkAddress& chunk, bool whole);
  // A member about to become active has been compared already, and the metaserver does not know of
  // it yet: it hears of the removal from its primary, which answers for both.
  void ForwardRemoval(const RemoveCall& call);

  ReplicaContext& context_;
};

}  // namespace cairn

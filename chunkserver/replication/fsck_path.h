// What the metaserver asks when it compares what is stored with the files there are (rule C11).
#pragma once

#include "cairn/v1/chunk.pb.h"
#include "chunkserver/replication/replica_context.h"
#include "rpc/dispatcher.h"

namespace cairn {

using ListStoredCall = Call<v1::ListStoredRequest, v1::ListStoredResponse>;
using SetAsideCall = Call<v1::SetAsideRequest, v1::SetAsideResponse>;

// Thread-safe.
class FsckPath {
 public:
  explicit FsckPath(ReplicaContext& context) : context_(context) {}

  // All chunks on this disk, whatever this server is to their group. kUnavailable: it has no lease,
  // so what it stores may be anything.
  void ListStored(const ListStoredCall& call);
  // The chunks are out of the store on ok, but for those that were not here. kBusy: one of them is
  // in use or was changed a moment ago; those before it are set aside. Nothing happens after the
  // call's deadline.
  void SetAside(const SetAsideCall& call);

 private:
  Result<bool> SetOneAside(ChunkId id, PgId group, Deadline deadline);
  Result<bool> SetHeldAside(ChunkId id, PgId group, Deadline deadline);

  ReplicaContext& context_;
};

}  // namespace cairn

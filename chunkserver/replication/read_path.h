// Reads at the primary (rule C8): after the writes it ordered earlier on those blocks are finished.
#pragma once

#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/replica_context.h"

namespace cairn {

using ReadCall = Call<v1::ReadChunkRequest, v1::ReadChunkResponse>;

// Thread-safe.
class ReadPath {
 public:
  ReadPath(ReplicaContext& context, BlockRepair& repair) : context_(context), repair_(repair) {}

  // REQUIRES: the request has passed the checks of service/request_checks.h.
  void Read(const ReadCall& call);

 private:
  void Attempt(const ReadCall& call, int repairs);
  void ReadNow(const ReadCall& call, const ChunkGatePtr& gate, int repairs);
  void Repair(const ReadCall& call, bool missing, int repairs);
  Result<Standing> CheckStanding(const ReadCall& call) const;

  ReplicaContext& context_;
  BlockRepair& repair_;
};

}  // namespace cairn

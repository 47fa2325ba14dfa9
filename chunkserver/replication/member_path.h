// What a member does for its primary, for a primary that mends its own copy, and for the
// metaserver.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/replica_context.h"
#include "rpc/dispatcher.h"

namespace cairn {

using ReplicateCall = Call<v1::ReplicateRequest, v1::ReplicateResponse>;
using ListChunksCall = Call<v1::ListChunksRequest, v1::ListChunksResponse>;
using ListBlocksCall = Call<v1::ListBlocksRequest, v1::ListBlocksResponse>;
using FetchBlocksCall = Call<v1::FetchBlocksRequest, v1::FetchBlocksResponse>;
using InstallBlocksCall = Call<v1::InstallBlocksRequest, v1::InstallBlocksResponse>;
using BeginCatchUpCall = Call<v1::BeginCatchUpRequest, v1::BeginCatchUpResponse>;
using RemoveCall = Call<v1::RemoveChunksRequest, v1::RemoveChunksResponse>;

// Thread-safe.
class MemberPath {
 public:
  MemberPath(ReplicaContext& context, BlockRepair& repair) : context_(context), repair_(repair) {}

  // Applies what the primary ordered, in order and without gaps: a version this chunk already has
  // is confirmed and not written again; one behind a version that has not come yet is kBusy.
  void Replicate(const ReplicateCall& call);
  void ListChunks(const ListChunksCall& call);
  void ListBlocks(const ListBlocksCall& call);
  void FetchBlocks(const FetchBlocksCall& call);
  void InstallBlocks(const InstallBlocksCall& call);
  // From then on a syncing member takes its primary's writes, until the epoch ends.
  void BeginCatchUp(const BeginCatchUpCall& call);

 private:
  Result<Standing> CheckPrimary(PgId group, Epoch epoch, const PeerIdentity& peer) const;
  Status CheckMember(PgId group, Epoch epoch, const PeerIdentity& peer) const;
  bool InCatchUp(const Group& group) const;
  Result<ChunkVersion> VersionHere(ChunkGate& gate, ChunkId id);
  // Writes what a trim that was carried out here first leaves of it: nothing else is left of it at
  // the primary either once that has trimmed too (rules C7, C9).
  Status WriteTrimmed(ChunkWrite write, const FileState& trim);
  // The chunk has this write, of which nothing is left.
  Status TakeVersion(const ChunkWrite& write);
  void ReplicateTurn(const ReplicateCall& call, const ChunkGatePtr& gate, int tries);
  void MendAndRetry(const ReplicateCall& call, const ChunkGatePtr& gate, int tries,
                    const Status& status);
  Status Install(const InstallBlocksCall& call);
  Status CheckUnchanged(const ChunkInfo& expected);
  void Hear(const BeginCatchUpCall& call);

  ReplicaContext& context_;
  BlockRepair& repair_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<PgId, Epoch> in_catch_up_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

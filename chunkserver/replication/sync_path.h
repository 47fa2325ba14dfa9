// fsync at the primary: data and index of the chunks are on disk on every member that must have
// them, before the answer (DESIGN 6.5). Writes ordered before it are finished first. If the group
// has lost power since the oldest write that it is to cover, it is refused with kIoError
// (decision 0006).
#pragma once

#include <memory>

#include "chunkserver/replication/replica_context.h"
#include "rpc/dispatcher.h"

namespace cairn {

using SyncCall = Call<v1::SyncChunksRequest, v1::SyncChunksResponse>;

// Thread-safe.
class SyncPath {
 public:
  static constexpr Duration kSyncReplicaDeadline = std::chrono::seconds(10);

  explicit SyncPath(ReplicaContext& context) : context_(context) {}

  // From a client: chunks of groups this server is the primary of.
  void Sync(const SyncCall& call);
  // From a primary: only here.
  void SyncReplica(const SyncCall& call);

 private:
  struct Operation;
  using OperationPtr = std::shared_ptr<Operation>;

  Result<Standing> Stand(const v1::ChunkAddress& chunk) const;
  Status CheckPrimary(const v1::SyncChunksRequest& request) const;
  Status CheckMember(const v1::SyncChunksRequest& request) const;
  void AwaitWrites(const OperationPtr& operation);
  void SyncHere(const OperationPtr& operation);
  void SyncOthers(const OperationPtr& operation);
  void SendTo(const OperationPtr& operation, ServerId server);
  void Answered(const OperationPtr& operation, ServerId server, const Result<RawReply>& reply);
  // Answers when nobody is left to wait for; looks again at who is required.
  void Settle(const OperationPtr& operation);
  void Retry(const OperationPtr& operation);

  ReplicaContext& context_;
};

}  // namespace cairn

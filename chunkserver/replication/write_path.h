// Writes at the primary: admit, order, write here, send to the others, answer when every member
// that must have it has it. An ordered write is never abandoned (rule C7): a member that fails is
// sent it again until it has it or an epoch has removed it, and until then nobody reads these
// blocks.
#pragma once

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/pending_write.h"
#include "chunkserver/replication/replica_context.h"
#include "chunkserver/replication/write_admission.h"

namespace cairn {

class BlockRepair;

// Thread-safe.
class WritePath {
 public:
  static constexpr Duration kReplicateDeadline = std::chrono::seconds(2);

  WritePath(ReplicaContext& context, BlockRepair& repair)
      : context_(context), repair_(repair), admission_(context) {}

  // REQUIRES: the request has passed the checks of service/request_checks.h.
  void Write(const WriteCall& call);

  // The group has another epoch, or someone in it is required no more: what waits for it goes on.
  void GroupChanged(PgId group);

 private:
  void Turn(const WriteCall& call, const ChunkGatePtr& gate, int tries);
  bool AnswerRetry(const WriteCall& call, ChunkGate& gate);
  Status WriteHere(const PendingWrite& write);
  void LocalFailed(const WriteCall& call, const ChunkGatePtr& gate, int tries,
                   const Status& status);
  void SendFirst(const PendingWritePtr& write, const ChunkGatePtr& gate);
  // Not sent now, but as a resend.
  void PutOff(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server);
  void Send(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server);
  // `trim`: the generation of the one that it was sent with.
  void Sent(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server, uint64_t trim,
            const Result<RawReply>& reply);
  // From inside a turn: what `from` did to the chunk happens here, and then at all other members.
  Status MakeTrim(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId from,
                  const FileState& trim);
  void Answered(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server,
                const Result<v1::ReplicateResponse>& response);
  void ResendLater(const PendingWritePtr& write, const ChunkGatePtr& gate, ServerId server,
                   int attempts);
  void Resend(const ChunkGatePtr& gate, ServerId server);
  // Ends the write if it can end; finds members that have become required meanwhile.
  void Evaluate(const PendingWritePtr& write, const ChunkGatePtr& gate);
  void End(const PendingWritePtr& write, const ChunkGatePtr& gate, const Status& status);

  ReplicaContext& context_;
  BlockRepair& repair_;
  WriteAdmission admission_;
  absl::Mutex mu_;
  absl::flat_hash_map<PgId, absl::flat_hash_map<PendingWritePtr, ChunkGatePtr>> pending_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

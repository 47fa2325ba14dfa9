// Whether a write may be given its place in the order (rule C7): what is refused here was never
// ordered anywhere, what passes is finished by every member or costs one its place.
#pragma once

#include "chunkserver/replication/group_table.h"
#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Thread-safe.
class WriteAdmission {
 public:
  explicit WriteAdmission(ReplicaContext& context) : context_(context) {}

  // kFenced, kNotPrimary, kBelowMinActive; kNoSpace: here or on a member, which is asked again now
  // and then.
  Status Admit(const Standing& standing, const v1::ChunkAddress& chunk);

 private:
  void AskSpace(ServerId server);

  ReplicaContext& context_;
};

}  // namespace cairn

// Makes one member equal this server, its primary, chunk by chunk: what differs in version, stamp
// or digest is compared by block CRC, and only blocks that differ travel. Blocks: for worker
// threads.
#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Confined to one thread. Every call to the member names the group's epoch: when that ends, so does
// the comparison, with kStaleEpoch.
class MemberComparer {
 public:
  // `attachment` is null when the group is not serving: nothing is written meanwhile.
  MemberComparer(ReplicaContext& context, BlockRepair& repair, GroupPtr group, ServerId member,
                 std::shared_ptr<Attachment> attachment)
      : context_(context),
        repair_(repair),
        group_(std::move(group)),
        member_(member),
        attachment_(std::move(attachment)) {}

  // Asks the member to take part; then nothing older than the epoch is under way there. Returns the
  // incarnation that answered.
  Result<Incarnation> Begin();
  // Everything copied is on disk there on return (rule C4). kStaleEpoch: it was restarted since.
  Status Finish(Incarnation incarnation);

  // All chunks: those the member has and this server does not are removed there, the rest copied.
  Status CompareAll();
  // One chunk, whatever was listed.
  Status CompareNow(ChunkId id);

  uint64_t copied_bytes() const { return copied_bytes_; }

 private:
  using Summaries = absl::flat_hash_map<ChunkId, v1::ChunkSummary>;
  Result<Summaries> ListMember();
  Status CompareListed(const ChunkInfo& info, const Summaries& theirs);
  Status CompareHeld(ChunkId id);
  Status CopyDifferences(const ChunkBlocks& own, const v1::ListBlocksResponse& theirs);
  Status CopyRun(const ChunkBlocks& own, uint32_t first, uint32_t count,
                 const std::string& absent_blocks);
  void MarkCompared(ChunkId id);
  template <typename Request>
  Request ForGroup() const;

  ReplicaContext& context_;
  BlockRepair& repair_;
  const GroupPtr group_;
  const ServerId member_;
  const std::shared_ptr<Attachment> attachment_;
  uint64_t copied_bytes_ = 0;
};

}  // namespace cairn

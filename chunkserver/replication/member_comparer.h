// Makes one member equal this server, its primary, chunk by chunk: what differs in version, stamp
// or digest is compared by block CRC, and only blocks that differ travel. Blocks: for worker
// threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

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

  // Chunks that are not sealed here or there are those whose last writes may not be everywhere.
  enum class Scope { kUnsealed, kAll };

  // Ok: the member, which is leaving, knows the epoch and serves no older one (rule C1).
  Status MakeHear();
  // Asks the member to take part; then nothing older than the epoch is under way there. Returns the
  // incarnation that answered.
  Result<Incarnation> Begin();
  // Everything copied is on disk there on return (rule C4). kStaleEpoch: it was restarted since.
  Status Finish(Incarnation incarnation);

  // Copies here what an active member has and this server does not: its word alone does not undo
  // what another may have acknowledged (rules C6, C10). What cannot be copied, because it is
  // damaged there or there is no room here, stays as it is. REQUIRES: nothing is written meanwhile.
  Status FetchMissing(Scope scope);
  // All chunks of the scope, here or there, are copied to the member. Those it has and this server
  // does not are removed from a syncing member and left alone at an active one.
  Status Compare(Scope scope);
  // Whether the member holds the same versions of the same chunks.
  Result<bool> SumsAreEqual();
  // Chunks that the member, which serves, has in the same version and stamp but with other blocks
  // are made equal; whatever else differs is left alone: it may be on its way. Returns how many.
  Result<uint64_t> MendDigests();
  // One chunk, whatever was listed.
  Status CompareNow(ChunkId id);

  ServerId member() const { return member_; }
  // What the member said to the last call; ok when what failed since was not its doing.
  const Status& member_answer() const { return member_answer_; }
  uint64_t copied_bytes() const { return copied_bytes_; }

 private:
  using Summaries = std::map<ChunkId, v1::ChunkSummary>;
  template <typename Response, typename Request>
  Result<Response> Ask(v1::Method method, const Request& request, Duration wait);
  Status ListMember(Scope scope);
  Status ForEachHere(Scope scope, const std::function<Status(const ChunkInfo&)>& visit);
  bool IsKnownEqual(const ChunkInfo& info) const;
  Status CountDifferences();
  // Waits until clients leave room for so much to be copied.
  Status AwaitPace(uint64_t bytes);
  Status FetchOne(ChunkId id);
  Status RemoveThere(ChunkId id);
  Status CompareListed(const ChunkInfo& info);
  // Copies much of what differs, at the pace that clients leave: it need not be all, nor be right
  // for long. Returns how many bytes.
  Result<uint64_t> CopyAhead(const ChunkInfo& info);
  Result<bool> CopyPieceAhead(const ChunkBlocks& planned, BlockRange piece);
  Status CompareHeld(ChunkId id);
  Result<v1::ListBlocksResponse> ListBlocksThere(ChunkId id);
  Result<bool> MendDigest(ChunkId id);
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
  bool only_mend_ = false;
  std::optional<Summaries> theirs_;
  std::optional<CopyBoard::Entry> board_;
  Status member_answer_;
  uint64_t copied_bytes_ = 0;
};

}  // namespace cairn

// fsck: one page of comparing what chunkservers store with the files there are (rule C11).
//
// A page lists, then reads. What looks wrong is listed and read once more, in this order, and told
// only if it still is: a finding was true at one moment, however busy the cluster is. Why nothing
// that is needed can be taken for an orphan: README.md beside this file.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "metaserver/cluster/chunk_inspector.h"
#include "metaserver/cluster/compare_chunks.h"
#include "metaserver/cluster/files_in_range.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/cluster/stored_listings.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// From the read that says that a file does not exist, so long its chunks may be set aside.
// Chunkservers leave alone what may have been written within timing::kSealIdle.
inline constexpr Duration kReadIsFresh = std::chrono::seconds(10);
static_assert(2 * kReadIsFresh < timing::kSealIdle);

// Thread-safe; everything given to it must outlive it.
class ChunkCheck {
 public:
  ChunkCheck(ReplicatedState& state, MapCache& maps, ServerRegistry& registry,
             ChunkInspector& inspector)
      : state_(state), maps_(maps), registry_(registry), inspector_(inspector) {}

  // The chunks of the next inodes, always of whole ones. Blocks, at most a little longer than until
  // the deadline. Set aside is what may be: an orphan whose id could still be given out, or that
  // was written a moment ago, is only told.
  // kNotLeader: it does not lead, or not any more; kDeadlineExceeded.
  Result<v1::CheckChunksResponse> Page(const v1::CheckChunksRequest& request, Deadline deadline);

 private:
  struct Walk;
  // What was read at one moment.
  struct Sight {
    std::shared_ptr<const MapSnapshot> map;
    std::map<InodeId, FileChunks> files;
    uint64_t next_inode = 0;  // ids from here on were never reserved
    Deadline fresh_until;
  };
  // How the files of a range, or some inodes, are read.
  using Load = std::function<Result<std::map<InodeId, FileChunks>>(const ReadView& view)>;

  // Compares some chunks behind `walk.after`, which moves on.
  Status CheckRange(Walk& walk);
  // What of `first` is still so; the sight that says it.
  Result<std::map<ChunkSuspicion, uint64_t>> Confirm(Walk& walk, const ChunkRange& range,
                                                     const ChunkComparison& first,
                                                     std::optional<Sight>& sight);
  // A linearizable read (rule M6).
  Result<Sight> See(const Walk& walk, const Load& load);
  Status ConfirmLeads(const Walk& walk);
  std::map<ServerId, v1::ServerRecord> ServersToAsk(const MapSnapshot& map, Walk& walk) const;
  void AddDamaged(const ChunkRange& range, const Sight& sight, Walk& walk) const;
  void SetAside(const Walk& walk, const Sight& sight, std::vector<v1::ChunkFinding>& findings);
  ServerViews ViewsOf(const MapSnapshot& map) const;

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
  ChunkInspector& inspector_;
};

}  // namespace cairn

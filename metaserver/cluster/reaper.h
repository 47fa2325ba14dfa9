// Removes, in the background, chunks that no name leads to any more. A row is forgotten only after
// every active member of every group concerned has answered, in one unchanged epoch; anything else
// is tried again later.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/cluster/chunk_remover.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/reap_scan.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// Thread-safe, except RunOnce().
class Reaper {
 public:
  Reaper(ReplicatedState& state, MapCache& maps, ServerRegistry& registry, ChunkRemover& remover,
         const Clock& clock);
  ~Reaper();  // Stop()s

  void Start();
  // Waits for the frames under way, at most their deadline.
  void Stop();

  // One round. Answers how many inodes moved on. Run by the thread, or by a test instead of it.
  // Passes over what somebody who was shut out may still write to (rule C11).
  Result<size_t> RunOnce();

 private:
  struct Round;
  void Run();
  bool GroupIsQuiet(const v1::PlacementGroup& group, const MapSnapshot& map) const;
  Result<std::set<PgId>> Address(ReapItem& item, const MapSnapshot& map) const;
  void AddToRequests(const ReapItem& item, size_t item_number, const MapSnapshot& map,
                     Round& round) const;
  void SendAll(const MapSnapshot& map, Round& round);
  Status CheckUnchanged(const std::set<PgId>& groups, const MapSnapshot& before,
                        const MapSnapshot& after) const;
  Result<size_t> Settle(std::vector<ReapItem>& items, const MapSnapshot& before,
                        const Round& round);
  void Finish(const std::vector<ReapItem>& items);
  void Defer(const ReapItem& item, const Status& why);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
  ChunkRemover& remover_;
  const Clock& clock_;
  ReapScan scan_;
  std::map<std::pair<InodeId, bool>, BootTime> deferred_;
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

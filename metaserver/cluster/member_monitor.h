// Watches the chunkservers and moves placement groups on: looks at each group with PlanMembers
// whenever a server fell silent, came back or restarted, and when nothing of that kind is to be
// done, with PlanMoves for repair, drain and balance. Conflicting proposals do no harm: apply takes
// a group only at the epoch the plan was made for.
#pragma once

#include <map>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// Thread-safe, except Tick().
class MemberMonitor {
 public:
  MemberMonitor(ReplicatedState& state, MapCache& maps, ServerRegistry& registry,
                const Clock& clock);
  ~MemberMonitor();  // Stop()s

  void Start();
  void Stop();
  void Wake();

  // One look at everything. Blocks on the log. Run by the thread, or by a test instead of it.
  Status Tick();

 private:
  // What a plan of members depends on.
  using Seen = std::tuple<ServerId, Incarnation, ServerView::Presence>;
  using Signature = std::pair<uint64_t, std::vector<Seen>>;
  void Run();
  Signature Look(const MapSnapshot& map, std::map<ServerId, ServerView>& views) const;
  // Makes sure that who is removed as gone gets no lease meanwhile. False: somebody was heard.
  bool CondemnRemoved(const MapSnapshot& map, const std::map<ServerId, ServerView>& views,
                      const std::vector<v1::PlacementGroup>& updates);
  Status ProposeUpdates(Term term, std::vector<v1::PlacementGroup> updates);
  // True: groups were moved on.
  Result<bool> TickMembers(Term term, const MapSnapshot& map,
                           const std::map<ServerId, ServerView>& views);
  Status TickMoves(Term term, const MapSnapshot& map);
  // When nothing moves: a cluster that has grown gets more groups for its new files.
  Status TickGenerations(Term term, const MapSnapshot& map);
  void ReleaseGone(const std::map<ServerId, ServerView>& views);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
  const Clock& clock_;
  BootTime next_moves_{};  // no look for moves before
  Signature settled_;      // nothing was to be done when things looked like this
  absl::Mutex mu_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

// Looks once a second how a repair stands and has it recorded, so that every metaserver can tell it
// and the next leader goes on from there.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/repair_state.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// Thread-safe, except Tick().
class RepairWatch {
 public:
  RepairWatch(ReplicatedState& state, MapCache& maps, ServerRegistry& registry, const Clock& clock)
      : state_(state), maps_(maps), registry_(registry), clock_(clock) {}
  ~RepairWatch();  // Stop()s

  void Start();
  void Stop();
  // One look. Blocks on the log. Run by the thread, or by a test instead of it.
  Status Tick();

 private:
  void Run();
  Status LoadTracker(Term term);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
  const Clock& clock_;
  RepairTracker tracker_;
  Term tracked_in_;  // the term the tracker was loaded in
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

#include "metaserver/cluster/fence_watch.h"

#include <algorithm>
#include <limits>

namespace cairn {

uint64_t PassedFences(const MapSnapshot& map, const ServerRegistry& registry) {
  uint64_t passed = std::numeric_limits<uint64_t>::max();
  for (const auto& [id, record] : map.servers) {
    if (registry.View(record).presence == ServerView::Presence::kGone) continue;
    passed = std::min(passed, registry.FencesFinished(record));
  }
  return passed;
}

}  // namespace cairn

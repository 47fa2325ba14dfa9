#include "metaserver/cluster/fence_watch.h"

#include <algorithm>

namespace cairn {

bool FencePassed(uint64_t fence, const MapSnapshot& map, const ServerRegistry& registry) {
  if (fence == 0) return true;
  return std::all_of(map.servers.begin(), map.servers.end(), [&](const auto& entry) {
    if (registry.FencesFinished(entry.second) >= fence) return true;
    return registry.View(entry.second).presence == ServerView::Presence::kGone;
  });
}

}  // namespace cairn

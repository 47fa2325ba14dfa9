// Which fences have passed: no chunkserver serves the sessions any more, and what any of them had
// admitted of them has ended (rule L1). Before that nothing these sessions held passes on.
#pragma once

#include <cstdint>

#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"

namespace cairn {

// All up to this one. Every server has said so, as the process it is now, or has been silent for so
// long that its lease has surely run out: it hears of the fences before it gets another. Asked of
// soft state only, so a new leader learns it anew from heartbeats.
uint64_t PassedFences(const MapSnapshot& map, const ServerRegistry& registry);

}  // namespace cairn

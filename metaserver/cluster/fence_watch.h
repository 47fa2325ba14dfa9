// Whether a fence has passed: no chunkserver serves the session any more, and what any of them had
// admitted of it has ended (rule L1). Before that nothing the session held passes on.
#pragma once

#include <cstdint>

#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"

namespace cairn {

// Every server has said so of all fences up to `fence`, as the process it is now, or has been
// silent for so long that its lease has surely run out: it hears of the fence before it gets
// another. Asked of soft state only, so a new leader learns it anew from heartbeats.
// 0: there was no fence.
bool FencePassed(uint64_t fence, const MapSnapshot& map, const ServerRegistry& registry);

}  // namespace cairn

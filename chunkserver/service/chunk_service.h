// The Chunk service on a Dispatcher: checks a request, hands it to replication.
#pragma once

#include "chunkserver/replication/replica.h"
#include "rpc/dispatcher.h"

namespace cairn {

// `replica` must outlive the dispatcher's use.
void RegisterChunkService(Dispatcher& dispatcher, Replica& replica);

}  // namespace cairn

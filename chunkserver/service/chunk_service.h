// The Chunk service on a Dispatcher: checks a request and who sends it, hands it to replication.
#pragma once

#include "chunkserver/replication/replica.h"
#include "chunkserver/service/access_gate.h"
#include "rpc/dispatcher.h"

namespace cairn {

// `replica` and `gate` must outlive the dispatcher's use.
void RegisterChunkService(Dispatcher& dispatcher, Replica& replica, AccessGate& gate);

}  // namespace cairn

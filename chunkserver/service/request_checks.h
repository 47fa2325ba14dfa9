// What a request may ask at all, before anything acts on it. kInvalidArgument or kTooLarge names
// the field that is wrong.
#pragma once

#include "cairn/v1/chunk.pb.h"
#include "common/status.h"
#include "rpc/payload.h"

namespace cairn {

Status CheckRequest(const v1::ChunkAddress& address);
Status CheckRequest(const v1::ReadChunkRequest& request);
Status CheckRequest(const v1::WriteChunkRequest& request, const Payload& payload);
Status CheckRequest(const v1::ReplicateRequest& request, const Payload& payload);
// Of a client: it says of each chunk how old its oldest unsynced write is.
Status CheckRequest(const v1::SyncChunksRequest& request);
// Of a primary, which has looked at that.
Status CheckReplicaRequest(const v1::SyncChunksRequest& request);
Status CheckRequest(const v1::RemoveChunksRequest& request);
Status CheckRequest(const v1::ListStoredRequest& request);
Status CheckRequest(const v1::SetAsideRequest& request);
Status CheckRequest(const v1::ListBlocksRequest& request);
Status CheckRequest(const v1::FetchBlocksRequest& request);
Status CheckRequest(const v1::InstallBlocksRequest& request, const Payload& payload);

}  // namespace cairn

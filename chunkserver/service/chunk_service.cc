#include "chunkserver/service/chunk_service.h"

#include "chunkserver/service/request_checks.h"
#include "rpc/peer_trust.h"

namespace cairn {
namespace {

// Registers `serve` for requests that pass `check`.
template <typename Request, typename Response, typename Check, typename Serve>
void HandleChecked(Dispatcher& dispatcher, v1::Method method, Check check, Serve serve) {
  dispatcher.Handle<Request, Response>(method, [check, serve](Call<Request, Response> call) {
    const Status status = check(call.request(), call.payload());
    status.ok() ? serve(call) : call.Fail(status);
  });
}

constexpr auto kCheckBody = [](const auto& request, const Payload&) {
  return CheckRequest(request);
};
constexpr auto kCheckBoth = [](const auto& request, const Payload& payload) {
  return CheckRequest(request, payload);
};
constexpr auto kNothingToCheck = [](const auto&, const Payload&) { return OkStatus(); };

void RegisterForClients(Dispatcher& dispatcher, Replica& replica) {
  HandleChecked<v1::ReadChunkRequest, v1::ReadChunkResponse>(
      dispatcher, v1::CHUNK_READ, kCheckBody,
      [&replica](const ReadCall& call) { replica.reads().Read(call); });
  HandleChecked<v1::WriteChunkRequest, v1::WriteChunkResponse>(
      dispatcher, v1::CHUNK_WRITE, kCheckBoth,
      [&replica](const WriteCall& call) { replica.writes().Write(call); });
  HandleChecked<v1::SyncChunksRequest, v1::SyncChunksResponse>(
      dispatcher, v1::CHUNK_SYNC, kCheckBody,
      [&replica](const SyncCall& call) { replica.syncs().Sync(call); });
}

// What servers ask of each other would let an ordinary user of this host change any file.
template <typename Request, typename Response, typename Check, typename Serve>
void HandleTrusted(Dispatcher& dispatcher, v1::Method method, Check check, Serve serve) {
  const auto serve_trusted = [serve](const Call<Request, Response>& call) {
    if (IsTrusted(call.peer())) return serve(call);
    call.Fail(Status::Error(ErrorCode::kPermission, "user {} is no server", call.peer().uid));
  };
  HandleChecked<Request, Response>(dispatcher, method, check, serve_trusted);
}

void RegisterForServers(Dispatcher& dispatcher, Replica& replica) {
  HandleTrusted<v1::ReplicateRequest, v1::ReplicateResponse>(
      dispatcher, v1::CHUNK_REPLICATE, kCheckBoth,
      [&replica](const ReplicateCall& call) { replica.member().Replicate(call); });
  HandleTrusted<v1::SyncChunksRequest, v1::SyncChunksResponse>(
      dispatcher, v1::CHUNK_SYNC_REPLICA,
      [](const v1::SyncChunksRequest& request, const Payload&) {
        return CheckReplicaRequest(request);
      },
      [&replica](const SyncCall& call) { replica.syncs().SyncReplica(call); });
  HandleTrusted<v1::ListChunksRequest, v1::ListChunksResponse>(
      dispatcher, v1::CHUNK_LIST_CHUNKS, kNothingToCheck,
      [&replica](const ListChunksCall& call) { replica.member().ListChunks(call); });
  HandleTrusted<v1::ListBlocksRequest, v1::ListBlocksResponse>(
      dispatcher, v1::CHUNK_LIST_BLOCKS, kCheckBody,
      [&replica](const ListBlocksCall& call) { replica.member().ListBlocks(call); });
  HandleTrusted<v1::FetchBlocksRequest, v1::FetchBlocksResponse>(
      dispatcher, v1::CHUNK_FETCH_BLOCKS, kCheckBody,
      [&replica](const FetchBlocksCall& call) { replica.member().FetchBlocks(call); });
  HandleTrusted<v1::InstallBlocksRequest, v1::InstallBlocksResponse>(
      dispatcher, v1::CHUNK_INSTALL_BLOCKS, kCheckBoth,
      [&replica](const InstallBlocksCall& call) { replica.member().InstallBlocks(call); });
  HandleTrusted<v1::BeginCatchUpRequest, v1::BeginCatchUpResponse>(
      dispatcher, v1::CHUNK_BEGIN_CATCH_UP, kNothingToCheck,
      [&replica](const BeginCatchUpCall& call) { replica.member().BeginCatchUp(call); });
  HandleTrusted<v1::RemoveChunksRequest, v1::RemoveChunksResponse>(
      dispatcher, v1::CHUNK_REMOVE, kCheckBody,
      [&replica](const RemoveCall& call) { replica.removals().Remove(call); });
  HandleTrusted<v1::ListStoredRequest, v1::ListStoredResponse>(
      dispatcher, v1::CHUNK_LIST_STORED, kCheckBody,
      [&replica](const ListStoredCall& call) { replica.fsck().ListStored(call); });
  HandleTrusted<v1::SetAsideRequest, v1::SetAsideResponse>(
      dispatcher, v1::CHUNK_SET_ASIDE, kCheckBody,
      [&replica](const SetAsideCall& call) { replica.fsck().SetAside(call); });
}

}  // namespace

void RegisterChunkService(Dispatcher& dispatcher, Replica& replica) {
  RegisterForClients(dispatcher, replica);
  RegisterForServers(dispatcher, replica);
}

}  // namespace cairn

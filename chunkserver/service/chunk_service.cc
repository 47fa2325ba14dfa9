#include "chunkserver/service/chunk_service.h"

#include <memory>
#include <utility>

#include "chunkserver/service/request_checks.h"
#include "rpc/chunk_token.h"
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

// Whoever could read or write the file may see to it that its bytes are on disk. A chunk without a
// token of its own goes by that of the one before it.
Result<SessionTicket> AdmitSync(AccessGate& gate, const v1::SyncChunksRequest& request) {
  const std::string* token = nullptr;
  SessionTicket ticket;
  for (const v1::ChunkAddress& chunk : request.chunks()) {
    const bool same_file = token != nullptr && chunk.token().empty();
    if (!same_file) token = &chunk.token();
    if (request.chunks(0).session() != chunk.session()) {
      return Fail(ErrorCode::kTokenRefused, "one sync of two sessions");
    }
    ASSIGN_OR_RETURN(ticket, gate.Admit(chunk, *token, kTokenRead | kTokenWrite));
  }
  return ticket;
}

// A request together with what keeps its session's fence from passing meanwhile: both go when the
// last copy of the call does.
template <typename Request>
struct Admitted {
  Request request;
  SessionTicket ticket;
};

// Registers `serve` for requests that pass `check`, from sessions that `admit` lets in.
template <typename Request, typename Response, typename Check, typename Admit, typename Serve>
void HandleAdmitted(Dispatcher& dispatcher, v1::Method method, Check check, Admit admit,
                    Serve serve) {
  dispatcher.HandleRaw(method, [=](std::shared_ptr<ServerCall> call) {
    auto admitted = std::make_shared<Admitted<Request>>();
    Request& request = admitted->request;
    if (!request.ParseFromArray(call->body().data(), static_cast<int>(call->body().size()))) {
      return call->Fail(Status::Error(ErrorCode::kInvalidArgument,
                                      "the request does not parse as {}", request.GetTypeName()));
    }
    if (const Status checked = check(request, call->payload()); !checked.ok()) {
      return call->Fail(checked);
    }
    Result<SessionTicket> ticket = admit(request);
    if (!ticket.has_value()) return call->Fail(ticket.error());
    admitted->ticket = *std::move(ticket);
    serve(Call<Request, Response>(std::move(call),
                                  std::shared_ptr<const Request>(admitted, &request)));
  });
}

void RegisterForClients(Dispatcher& dispatcher, Replica& replica, AccessGate& gate) {
  HandleAdmitted<v1::ReadChunkRequest, v1::ReadChunkResponse>(
      dispatcher, v1::CHUNK_READ, kCheckBody,
      [&gate](const v1::ReadChunkRequest& request) {
        return gate.Admit(request.chunk(), request.chunk().token(), kTokenRead);
      },
      [&replica](const ReadCall& call) { replica.reads().Read(call); });
  HandleAdmitted<v1::WriteChunkRequest, v1::WriteChunkResponse>(
      dispatcher, v1::CHUNK_WRITE, kCheckBoth,
      [&gate](const v1::WriteChunkRequest& request) {
        return gate.Admit(request.chunk(), request.chunk().token(), kTokenWrite);
      },
      [&replica](const WriteCall& call) { replica.writes().Write(call); });
  HandleAdmitted<v1::SyncChunksRequest, v1::SyncChunksResponse>(
      dispatcher, v1::CHUNK_SYNC, kCheckBody,
      [&gate](const v1::SyncChunksRequest& request) { return AdmitSync(gate, request); },
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

void RegisterChunkService(Dispatcher& dispatcher, Replica& replica, AccessGate& gate) {
  RegisterForClients(dispatcher, replica, gate);
  RegisterForServers(dispatcher, replica);
}

}  // namespace cairn

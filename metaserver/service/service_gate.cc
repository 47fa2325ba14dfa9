#include "metaserver/service/service_gate.h"

#include <memory>
#include <utility>

#include "cairn/v1/methods.pb.h"
#include "metaserver/service/leader_call.h"
#include "metaserver/service/peer_rights.h"

namespace cairn {
namespace {

bool IsMetadataMethod(int method) {
  return method >= v1::METADATA_OPEN_SESSION && method <= v1::METADATA_EXTEND;
}

bool IsClusterMethod(int method) {
  return method >= v1::CLUSTER_JOIN && method <= v1::CLUSTER_ACTIVATE_GROUPS;
}

bool NeedsLeader(int method) {
  return IsClusterMethod(method) ||
         (IsMetadataMethod(method) && method != v1::METADATA_FIND_LEADER);
}

void Serve(const Dispatcher& all, ReplicatedState& state, int method,
           std::shared_ptr<ServerCall> call) {
  if (!IsMetadataMethod(method) && !IsTrusted(call->peer())) {
    return call->Fail(Status::Error(ErrorCode::kPermission, "user {} may not command the cluster",
                                    call->peer().uid));
  }
  if (NeedsLeader(method)) {
    call = MakeLeaderCall(std::move(call), state);
    if (call == nullptr) return;
    if (!state.IsBorn()) {
      return call->Fail(
          Status(ErrorCode::kUnavailable, "not founded: this metaserver has no cluster yet"));
    }
  }
  all.Dispatch(static_cast<v1::Method>(method), std::move(call));
}

}  // namespace

Dispatcher MakeServiceGate(const Dispatcher& all, ReplicatedState& state) {
  Dispatcher gate;
  const google::protobuf::EnumDescriptor* methods = v1::Method_descriptor();
  for (int i = 0; i < methods->value_count(); ++i) {
    const int number = methods->value(i)->number();
    gate.HandleRaw(static_cast<v1::Method>(number),
                   [&all, &state, number](std::shared_ptr<ServerCall> call) {
                     Serve(all, state, number, std::move(call));
                   });
  }
  return gate;
}

}  // namespace cairn

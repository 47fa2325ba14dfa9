#include "metaserver/service/service_gate.h"

#include <memory>
#include <utility>

#include "cairn/v1/methods.pb.h"
#include "metaserver/service/peer_rights.h"

namespace cairn {
namespace {

bool IsAdminMethod(int method) {
  return method >= v1::ADMIN_FOUND_CLUSTER && method <= v1::ADMIN_SET_FAULTS;
}

bool IsMetadataMethod(int method) {
  return method >= v1::METADATA_OPEN_SESSION && method <= v1::METADATA_FETCH_MAP;
}

Status CheckMay(int method, const PeerIdentity& peer, bool born) {
  if (!IsMetadataMethod(method) && !IsTrusted(peer)) {
    return Status::Error(ErrorCode::kPermission, "user {} may not command the cluster", peer.uid);
  }
  if (born || IsAdminMethod(method)) return OkStatus();
  return Status(ErrorCode::kUnavailable, "not founded: this metaserver has no cluster yet");
}

}  // namespace

Dispatcher MakeServiceGate(const Dispatcher& all, std::function<bool()> born) {
  Dispatcher gate;
  const google::protobuf::EnumDescriptor* methods = v1::Method_descriptor();
  for (int i = 0; i < methods->value_count(); ++i) {
    const int number = methods->value(i)->number();
    gate.HandleRaw(static_cast<v1::Method>(number),
                   [&all, born, number](std::shared_ptr<ServerCall> call) {
                     const Status may = CheckMay(number, call->peer(), born());
                     if (!may.ok()) return call->Fail(may);
                     all.Dispatch(static_cast<v1::Method>(number), std::move(call));
                   });
  }
  return gate;
}

}  // namespace cairn

#include "cli/admin_client.h"

#include <unistd.h>

namespace cairn {

namespace {
bool AnotherMayAnswer(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kNotLeader;
}
}  // namespace

Result<AdminClient> AdminClient::Open(const ClusterAccess& access) {
  ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> tls, TlsContext::Load(access.tls));
  AdminClient client;
  for (const Address& address : access.metaservers) {
    client.peers_.push_back({address.ToString(), GrpcChannel::Make(address, tls)});
  }
  return client;
}

Status AdminClient::Call(const std::string& method, const google::protobuf::Message& request,
                         google::protobuf::Message& response, Deadline deadline) {
  std::string silent;
  for (size_t i = 0; i < peers_.size(); ++i) {
    const auto share = deadline.Left() / static_cast<int64_t>(peers_.size() - i);
    const Status status = peers_[i].channel->Call("/cairn.v1.Admin/" + method, request, response,
                                                  Deadline::After(share));
    if (!AnotherMayAnswer(status.code())) return status;
    silent += (silent.empty() ? "" : "; ") + peers_[i].name + ": " +
              status.ToString();
  }
  return Status::Error(ErrorCode::kUnavailable, "no metaserver answers: {}", silent);
}

Status AskCluster(const ClusterOptions& options, const std::string& method,
                  const google::protobuf::Message& request, google::protobuf::Message& response) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  return client.Call(method, request, response, Deadline::After(kAskTime));
}

Status FoundCluster(AdminClient& client, const std::string& cluster_id, uint32_t copies,
                    uint32_t min_active, Deadline deadline) {
  v1::FoundClusterRequest request;
  request.set_cluster_id(cluster_id);
  request.set_copies(copies);
  request.set_min_active(min_active);
  request.set_root_uid(::geteuid());
  request.set_root_gid(::getegid());
  v1::FoundClusterResponse response;
  return client.Call("FoundCluster", request, response, deadline);
}

}  // namespace cairn

#include "metaserver/service/cluster_birth.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/logging.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/operations/pools.h"

namespace cairn {
namespace {

constexpr uint32_t kRootMode = 0755;

bool IsClusterId(const std::string& id) {
  const bool plain =
      id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
      std::string::npos;
  return plain && !id.empty() && id.size() <= kMaxClusterIdBytes;
}

Status CheckBirth(const v1::FoundClusterRequest& request) {
  if (!IsClusterId(request.cluster_id())) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "a cluster id is 1 to {} letters, digits, '-' or '_'", kMaxClusterIdBytes);
  }
  if (request.copies() < 1 || request.copies() > kMaxCopies) {
    return Status::Error(ErrorCode::kInvalidArgument, "copies is 1 to {}, not {}", kMaxCopies,
                         request.copies());
  }
  if (request.min_active() > request.copies()) {
    return Status::Error(ErrorCode::kInvalidArgument, "min_active {} is more than {} copies",
                         request.min_active(), request.copies());
  }
  return OkStatus();
}

v1::Command MakeBirthCommand(const v1::FoundClusterRequest& request,
                             const raft::Membership& members) {
  v1::Command command;
  v1::FoundClusterCommand& found = *command.mutable_found_cluster();
  found.set_cluster_id(request.cluster_id());
  found.set_copies(request.copies());
  found.set_min_active(request.min_active() != 0 ? request.min_active()
                                                 : DefaultMinActive(request.copies()));
  found.set_chunk_size(kDefaultChunkSize);
  found.set_root_uid(request.root_uid());
  found.set_root_gid(request.root_gid());
  found.set_root_mode(kRootMode);
  found.set_membership(raft::Encode(members));
  const std::vector<ServerId> ids = members.All();
  found.set_last_metaserver(ids.empty() ? 0 : ids.back().value);
  return command;
}

}  // namespace

Status CheckIdentity(const MapSnapshot& map, const DataDirectory& directory) {
  const std::string& ours = directory.identity().cluster_id;
  if (map.cluster_id.empty() || map.cluster_id == ours) return OkStatus();
  return Status::Error(ErrorCode::kWrongCluster,
                       "the state in {} belongs to cluster {}, the directory to {}",
                       directory.path(), map.cluster_id, ours.empty() ? "none" : ours);
}

void FoundCluster(const BirthParts& parts, const v1::FoundClusterRequest& request,
                  std::function<void(Status)> done) {
  if (Status status = CheckBirth(request); !status.ok()) return done(std::move(status));
  const auto map = parts.maps->Get();
  if (!map.has_value()) return done(map.error());
  const std::string& born_as = (*map)->cluster_id;
  if (born_as == request.cluster_id()) return done(OkStatus());
  if (!born_as.empty()) {
    return done(
        Status::Error(ErrorCode::kWrongCluster, "this metaserver belongs to cluster {}", born_as));
  }
  const DataIdentity identity = parts.directory->identity();
  if (identity.cluster_id.empty()) {
    return done(Status(ErrorCode::kNotLeader, "this metaserver was adopted by nobody yet"));
  }
  if (identity.cluster_id != request.cluster_id()) {
    return done(Status::Error(ErrorCode::kWrongCluster, "this directory belongs to cluster {}",
                              identity.cluster_id));
  }
  parts.state->Propose(MakeBirthCommand(request, parts.members()),
                       [parts, done = std::move(done)](const Result<v1::Outcome>& outcome) {
                         const Status status = StatusOfOutcome(outcome);
                         parts.maps->Invalidate();
                         if (status.ok()) LOG_INFO("cluster founded");
                         done(status);
                       });
}

}  // namespace cairn

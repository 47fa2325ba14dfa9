#include "metaserver/service/cluster_birth.h"

#include <memory>
#include <string>
#include <utility>

#include "common/logging.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/service/admin_service.h"

namespace cairn {
namespace {

constexpr uint32_t kMaxCopies = 9;
constexpr size_t kMaxClusterIdBytes = 64;
constexpr uint32_t kRootMode = 0755;

// 1 of 1, 1 of 2, 2 of 3: writes go on with one copy away.
uint32_t DefaultMinActive(uint32_t copies) { return (copies + 1) / 2; }

bool IsClusterId(const std::string& id) {
  const bool plain = id.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                     std::string::npos;
  return plain && !id.empty() && id.size() <= kMaxClusterIdBytes;
}

Status CheckBirth(const v1::FoundClusterRequest& request) {
  if (!IsClusterId(request.cluster_id())) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "a cluster id is 1 to {} letters, digits, '-' or '_'",
                         kMaxClusterIdBytes);
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

v1::Command MakeBirthCommand(const v1::FoundClusterRequest& request) {
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
  return command;
}

Status FinishBirth(const BirthParts& parts) {
  parts.maps->Invalidate();
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts.maps->Get());
  RETURN_IF_ERROR(AdoptIdentity(*map, *parts.directory));
  LOG_INFO("cluster founded id={}", map->cluster_id);
  if (parts.on_born) parts.on_born();
  return OkStatus();
}

}  // namespace

Status AdoptIdentity(const MapSnapshot& map, DataDirectory& directory) {
  if (map.cluster_id.empty()) return OkStatus();
  return directory.SetIdentity(map.cluster_id, kFirstMetaserver);
}

void FoundCluster(const BirthParts& parts, const v1::FoundClusterRequest& request,
                  std::function<void(Status)> done) {
  if (Status status = CheckBirth(request); !status.ok()) return done(std::move(status));
  const auto map = parts.maps->Get();
  if (!map.has_value()) return done(map.error());
  const std::string& born_as = (*map)->cluster_id;
  if (born_as == request.cluster_id()) return done(AdoptIdentity(**map, *parts.directory));
  if (!born_as.empty()) {
    return done(Status::Error(ErrorCode::kWrongCluster, "this metaserver belongs to cluster {}",
                              born_as));
  }
  const DataIdentity identity = parts.directory->identity();
  if (!identity.cluster_id.empty() && identity.cluster_id != request.cluster_id()) {
    return done(Status::Error(ErrorCode::kWrongCluster, "this directory belongs to cluster {}",
                              identity.cluster_id));
  }
  parts.state->Propose(MakeBirthCommand(request),
                       [parts, done = std::move(done)](Result<v1::Outcome> outcome) {
                         const Status status = StatusOfOutcome(outcome);
                         done(status.ok() ? FinishBirth(parts) : status);
                       });
}

}  // namespace cairn

#include "metaserver/cluster/membership.h"

#include <memory>
#include <utility>

#include "common/logging.h"
#include "metaserver/cluster/metaserver_address.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/placement/chunkserver_of.h"
#include "metaserver/placement/plan_members.h"

namespace cairn {
namespace {

constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxUnixPathBytes = 107;
constexpr size_t kMaxReasonBytes = 200;

Status CheckEndpoint(const v1::Endpoint& endpoint) {
  const bool reachable =
      !endpoint.unix_path().empty() || (!endpoint.host().empty() && endpoint.port() != 0);
  if (!reachable || endpoint.port() > kMaxPort || endpoint.host().size() > kMaxHostBytes ||
      endpoint.unix_path().size() > kMaxUnixPathBytes || endpoint.boot_id().size() > kMaxIdBytes) {
    return Status::Error(ErrorCode::kInvalidArgument, "'{}' port {} is not where a server listens",
                         endpoint.host().substr(0, kMaxHostBytes), endpoint.port());
  }
  return OkStatus();
}

Status CheckJoinShape(const v1::JoinRequest& request) {
  if (request.disk_uuid().empty() || request.disk_uuid().size() > kMaxIdBytes ||
      request.boot_id().empty() || request.boot_id().size() > kMaxIdBytes ||
      request.host().size() > kMaxHostBytes || request.rack().size() > kMaxHostBytes ||
      request.incarnation() == 0) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "a join names its disk, boot, host and start");
  }
  return CheckEndpoint(request.frames());
}

const v1::ServerRecord* FindDisk(const MapSnapshot& map, const std::string& disk_uuid) {
  for (const auto& [id, record] : map.servers) {
    if (record.disk_uuid() == disk_uuid) return &record;
  }
  return nullptr;
}

bool SaysTheSame(const v1::JoinRequest& request, const v1::ServerRecord& record) {
  const ServerId chunkserver(request.chunkserver() != 0 ? request.chunkserver() : record.id());
  return chunkserver == ChunkserverOf(record) && request.incarnation() == record.incarnation() &&
         request.boot_id() == record.boot_id() &&
         request.host() == record.host() && request.rack() == record.rack() &&
         request.frames().SerializeAsString() == record.frames().SerializeAsString();
}

v1::Command MakeJoinCommand(const v1::JoinRequest& request) {
  v1::Command command;
  v1::JoinServerCommand& join = *command.mutable_join_server();
  join.set_disk_uuid(request.disk_uuid());
  *join.mutable_frames() = request.frames();
  join.set_host(request.host());
  join.set_boot_id(request.boot_id());
  join.set_incarnation(request.incarnation());
  join.set_rack(request.rack());
  join.set_chunkserver(request.chunkserver());
  return command;
}

// The group a primary or member speaks of, if it is still in that epoch.
Result<const v1::PlacementGroup*> FindGroupAt(const MapSnapshot& map, uint32_t id, uint64_t epoch) {
  const v1::PlacementGroup* group = map.FindGroup(PgId(id));
  if (group == nullptr) return Fail(ErrorCode::kNotFound, "there is no placement group {}", id);
  if (group->epoch() != epoch) {
    return Fail(ErrorCode::kStaleEpoch, "group {} is in epoch {}, not {}", id, group->epoch(),
                epoch);
  }
  return group;
}

}  // namespace

Membership::Membership(ReplicatedState& state, MapCache& maps, ServerRegistry& registry,
                       const Clock& clock, std::function<void()> wake_monitor, Reach reach,
                       AdmissionCache& admission)
    : state_(state),
      maps_(maps),
      registry_(registry),
      clock_(clock),
      wake_monitor_(std::move(wake_monitor)),
      reach_(std::move(reach)),
      admission_(admission) {}

// The row the disk has already; nullptr for a new disk.
Result<const v1::ServerRecord*> Membership::CheckJoin(const v1::JoinRequest& request,
                                                      const MapSnapshot& map) const {
  RETURN_IF_ERROR(CheckJoinShape(request));
  if (!request.cluster_id().empty() && request.cluster_id() != map.cluster_id) {
    return Fail(ErrorCode::kWrongCluster, "this is cluster {}, the chunkserver belongs to {}",
                map.cluster_id, request.cluster_id());
  }
  const v1::ServerRecord* record = FindDisk(map, request.disk_uuid());
  if (request.server() != 0 && (record == nullptr || record->id() != request.server())) {
    return Fail(ErrorCode::kWrongCluster, "cluster {} never gave disk {} the server id {}",
                map.cluster_id, request.disk_uuid(), request.server());
  }
  if (record == nullptr) return record;
  if (request.incarnation() < record->incarnation()) {
    return Fail(ErrorCode::kStaleRequest, "disk {} has been started again since", record->id());
  }
  RETURN_IF_ERROR(
      registry_.CheckWelcome(ServerId(record->id()), Incarnation(request.incarnation())));
  return record;
}

void Membership::Join(const v1::JoinRequest& request,
                      std::function<void(Result<v1::JoinResponse>)> done) {
  const auto map = maps_.Get();
  if (!map.has_value()) return done(Fail(map.error()));
  const Result<const v1::ServerRecord*> record = CheckJoin(request, **map);
  if (!record.has_value()) return done(Fail(record.error()));
  if (*record != nullptr && SaysTheSame(request, **record)) {
    return done(FinishJoin(ServerId((*record)->id())));
  }
  state_.Propose(MakeJoinCommand(request),
                 [this, done = std::move(done)](Result<v1::Outcome> outcome) {
                   const Status status = StatusOfOutcome(outcome);
                   if (!status.ok()) return done(Fail(status));
                   maps_.Invalidate();
                   done(FinishJoin(ServerId(outcome->server())));
                 });
}

Result<v1::JoinResponse> Membership::FinishJoin(ServerId server) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const v1::ServerRecord* record = map->FindServer(server);
  if (record == nullptr) return Fail(ErrorCode::kInternal, "server {} has no row", server);
  registry_.NoteJoin(*record);
  LOG_INFO("chunkserver joined server={} chunkserver={} host={} incarnation={}", server,
           ChunkserverOf(*record), record->host(), record->incarnation());
  wake_monitor_();
  v1::JoinResponse response;
  response.set_cluster_id(map->cluster_id);
  response.set_server(server.value);
  return response;
}

Result<v1::HeartbeatResponse> Membership::Heartbeat(const v1::HeartbeatRequest& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const v1::ServerRecord* record = map->FindServer(ServerId(request.server()));
  if (record == nullptr) {
    return Fail(ErrorCode::kNotFound, "server {} has not joined", request.server());
  }
  RETURN_IF_ERROR(registry_.NoteHeartbeat(request, *record));
  // Read after it counts as heard: the lease must come with every removal that went before.
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> now, maps_.Get());
  v1::HeartbeatResponse response;
  *response.mutable_changes() = now->ChangesSince(request.map_version());
  // Likewise: a fence passes when a server has been silent for long, so its next lease comes with
  // the fence (rule L1).
  ASSIGN_OR_RETURN(const std::shared_ptr<const Admission> admission, admission_.Get());
  admission->Tell(request, response);
  const WallTime wall = clock_.WallNow();
  response.mutable_time()->set_seconds(wall.seconds);
  response.mutable_time()->set_nanoseconds(wall.nanoseconds);
  return response;
}

Status Membership::ReportMember(const v1::ReportMemberRequest& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  ASSIGN_OR_RETURN(const v1::PlacementGroup* group,
                   FindGroupAt(*map, request.group(), request.epoch()));
  const v1::Member* reporter = FindMember(*group, ServerId(request.reporter()));
  if (reporter == nullptr || reporter->state() != v1::MEMBER_ACTIVE) {
    return Status::Error(ErrorCode::kNotPrimary, "server {} is not active in group {}",
                         request.reporter(), request.group());
  }
  return JudgeReport(request, *group, *map);
}

Status Membership::JudgeReport(const v1::ReportMemberRequest& request,
                               const v1::PlacementGroup& group, const MapSnapshot& map) {
  const ServerId reporter(request.reporter());
  const ServerId accused(request.accused());
  const v1::Member* member = FindMember(group, accused);
  const v1::ServerRecord* record = map.FindServer(accused);
  if (member == nullptr || record == nullptr || accused == reporter) {
    return Status::Error(ErrorCode::kInvalidArgument, "server {} is no other member of group {}",
                         accused, request.group());
  }
  const ServerView view = registry_.View(*record);
  const bool settled_otherwise = !IsUnrestarted(*member, view) ||
                                 view.presence != ServerView::Presence::kAlive ||
                                 registry_.IsShunned(accused) || registry_.IsShunned(reporter);
  if (settled_otherwise) {
    wake_monitor_();
    return OkStatus();
  }
  if (request.fault() == v1::FAULT_ANSWERED_ERROR) {
    Shun(accused, fmt::format("it could not finish a write: {}",
                              request.reason().substr(0, kMaxReasonBytes)));
    return OkStatus();
  }
  const v1::ServerRecord* own = map.FindServer(reporter);
  const MemberReports::Reporter witness{reporter, own == nullptr ? reporter : ChunkserverOf(*own)};
  MemberReports::Verdict verdict;
  {
    absl::MutexLock lock(&mu_);
    verdict = reports_.Note(witness, accused, clock_.Now());
  }
  if (verdict == MemberReports::Verdict::kAccusedLeaves) {
    Shun(accused, "several members cannot reach it");
  } else if (verdict == MemberReports::Verdict::kReporterLeaves) {
    HearAccused(reporter, *record);
  }
  return OkStatus();
}

// Its heartbeats only show that it reaches this server. Whether others reach it is tried: one of
// the two leaves.
void Membership::HearAccused(ServerId reporter, const v1::ServerRecord& accused) {
  reach_(accused, [this, reporter, accused = ServerId(accused.id())](Status answer) {
    if (answer.ok()) {
      Shun(reporter, fmt::format("it alone cannot reach server {}", accused));
    } else {
      Shun(accused, fmt::format("neither server {} nor this one can reach it: {}", reporter,
                                answer.message()));
    }
  });
}

void Membership::Shun(ServerId server, const std::string& reason) {
  {
    absl::MutexLock lock(&mu_);
    reports_.Forget(server);
  }
  registry_.Shun(server, reason);
}

void Membership::MemberSynced(const v1::MemberSyncedRequest& request,
                              std::function<void(Result<v1::MemberSyncedResponse>)> done) {
  const auto map = maps_.Get();
  if (!map.has_value()) return done(Fail(map.error()));
  const PgId id(request.group());
  const v1::PlacementGroup* now = (*map)->FindGroup(id);
  const v1::Member* already =
      now == nullptr ? nullptr : FindMember(*now, ServerId(request.member()));
  if (already != nullptr && already->state() == v1::MEMBER_ACTIVE &&
      already->incarnation() == request.member_incarnation()) {
    return done(CurrentGroup(id));
  }
  const auto group = FindGroupAt(**map, request.group(), request.epoch());
  if (!group.has_value()) return done(Fail(group.error()));
  const v1::Member* primary = PrimaryOf(**group);
  if (primary == nullptr || primary->server() != request.reporter()) {
    return done(Fail(ErrorCode::kNotPrimary, "server {} is not the primary of group {}",
                     request.reporter(), id));
  }
  const v1::ServerRecord* record = (*map)->FindServer(ServerId(request.member()));
  if (already == nullptr || record == nullptr) {
    return done(Fail(ErrorCode::kInvalidArgument, "server {} is not a member of group {}",
                     request.member(), id));
  }
  const ServerView view = registry_.View(*record);
  if (already->state() != v1::MEMBER_SYNCING || view.presence == ServerView::Presence::kGone ||
      view.incarnation.value != request.member_incarnation() ||
      registry_.IsShunned(ServerId(request.member()))) {
    return done(Fail(ErrorCode::kStaleEpoch, "start {} of server {} is not the one that is up",
                     request.member_incarnation(), request.member()));
  }
  v1::Command command;
  *command.mutable_update_groups()->add_groups() =
      PlanActivation(**group, ServerId(request.member()), view);
  state_.Propose(std::move(command),
                 [this, id, done = std::move(done)](Result<v1::Outcome> outcome) {
                   const Status status = StatusOfOutcome(outcome);
                   if (!status.ok()) return done(Fail(status));
                   maps_.Invalidate();
                   if (outcome->conflicts_size() > 0) {
                     return done(Fail(ErrorCode::kStaleEpoch, "group {} has moved on", id));
                   }
                   done(CurrentGroup(id));
                 });
}

Result<v1::MemberSyncedResponse> Membership::CurrentGroup(PgId id) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const v1::PlacementGroup* group = map->FindGroup(id);
  if (group == nullptr) return Fail(ErrorCode::kInternal, "group {} has no row", id);
  v1::MemberSyncedResponse response;
  *response.mutable_changes()->add_groups() = *group;
  return response;
}

}  // namespace cairn

#include "chunkserver/replication/cluster_link.h"

#include <utility>

#include "common/await.h"
#include "common/logging.h"

namespace cairn {
namespace {

constexpr Duration kCallWait = std::chrono::seconds(1);
constexpr Duration kJoinRetry = std::chrono::milliseconds(200);
// Two requests for a fresh map this close to each other are one.
constexpr Duration kHurryGap = std::chrono::milliseconds(5);

// Nobody answered, or nobody who may; anything else is the cluster's word.
bool NoAnswer(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded ||
         code == ErrorCode::kNotLeader || code == ErrorCode::kCancelled ||
         code == ErrorCode::kBusy || code == ErrorCode::kInternal;
}

}  // namespace

ClusterLink::ClusterLink(GroupTable& table, const Clock& clock, MetaserverCaller& metaserver)
    : table_(table), clock_(clock), metaserver_(metaserver) {}

ClusterLink::~ClusterLink() {
  Stop();
}

void ClusterLink::SetOptions(ClusterLinkOptions options) {
  options_ = std::move(options);
}

void ClusterLink::Start() {
  thread_ = Thread("cluster-link", [this] { Run(); });
}

void ClusterLink::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.Join();
}

void ClusterLink::RefreshSoon() {
  absl::MutexLock lock(&mu_);
  hurry_ = true;
}

bool ClusterLink::Pause(Duration delay) {
  absl::MutexLock lock(&mu_);
  auto awake = [this] {
    mu_.AssertReaderHeld();
    return stopping_ || hurry_;
  };
  AwaitUntil(mu_, absl::Condition(&stopping_), Deadline::After(kHurryGap));
  AwaitUntil(mu_, absl::Condition(&awake), Deadline::After(delay));
  hurry_ = false;
  return !stopping_;
}

void ClusterLink::Run() {
  if (!Join()) return;
  Status last;
  while (Pause(timing::kChunkHeartbeat)) {
    const Status status = Heartbeat();
    if (!status.ok() && last.ok()) LOG_WARN("heartbeat is not answered reason={}", status);
    if (status.ok() && !last.ok()) LOG_INFO("heartbeat is answered again");
    last = status;
    if (status.ok() || NoAnswer(status.code())) continue;
    // The metaserver does not know this start of the server: say hello again.
    if (!Join()) return;
  }
}

bool ClusterLink::Join() {
  Status last;
  do {
    v1::JoinResponse response;
    const Status status = metaserver_.Call("/cairn.v1.Cluster/Join", options_.join, response,
                                           Deadline::After(kCallWait));
    if (status.ok()) {
      const ServerId server(response.server());
      if (const Status kept = options_.joined(response.cluster_id(), server); !kept.ok()) {
        options_.refused(kept);
        return false;
      }
      options_.join.set_cluster_id(response.cluster_id());
      options_.join.set_server(server.value);
      table_.SetSelf(server, Incarnation(options_.join.incarnation()));
      LOG_INFO("joined the cluster cluster={} server={} incarnation={}", response.cluster_id(),
               server, options_.join.incarnation());
      RefreshSoon();
      return true;
    }
    if (!NoAnswer(status.code())) {
      options_.refused(status);
      return false;
    }
    if (last.ok()) LOG_WARN("no metaserver lets this server join yet reason={}", status);
    last = status;
  } while (Pause(kJoinRetry));
  return false;
}

Status ClusterLink::Heartbeat() {
  std::optional<v1::HeartbeatRequest> request = options_.vitals();
  if (!request.has_value()) return OkStatus();
  request->set_server(options_.join.server());
  request->set_incarnation(options_.join.incarnation());
  request->set_map_version(table_.map_version());
  v1::HeartbeatResponse response;
  // The lease counts from before the request left: the metaserver counts from when it arrived.
  const BootTime sent = clock_.Now();
  RETURN_IF_ERROR(metaserver_.Call("/cairn.v1.Cluster/Heartbeat", *request, response,
                                   Deadline::After(kCallWait)));
  if (!response.metaservers().empty()) metaserver_.Learn(response.metaservers());
  // First who this server is and who is shut out, then that it may act: one that was removed while
  // its lease had run out must not serve another read in its old place (rule C1), nor anybody who
  // was shut out meanwhile (rule L1).
  table_.Apply(response.changes(), true);
  if (options_.heard && !options_.heard(response)) {
    RefreshSoon();
    return OkStatus();
  }
  table_.ExtendLease(sent + timing::kChunkLease);
  return OkStatus();
}

void ClusterLink::ReportMember(PgId group, Epoch epoch, ServerId accused, v1::MemberFault fault,
                               const std::string& reason) {
  v1::ReportMemberRequest request;
  request.set_reporter(table_.self().value);
  request.set_group(group.value);
  request.set_epoch(epoch.value);
  request.set_accused(accused.value);
  request.set_fault(fault);
  request.set_reason(reason);
  v1::ReportMemberResponse response;
  const Status status = metaserver_.Call("/cairn.v1.Cluster/ReportMember", request, response,
                                         Deadline::After(kCallWait));
  if (!status.ok()) LOG_WARN("the report of a member was not taken reason={}", status);
  RefreshSoon();
}

Status ClusterLink::MemberSynced(PgId group, Epoch epoch, ServerId member,
                                 Incarnation incarnation) {
  v1::MemberSyncedRequest request;
  request.set_reporter(table_.self().value);
  request.set_group(group.value);
  request.set_epoch(epoch.value);
  request.set_member(member.value);
  request.set_member_incarnation(incarnation.value);
  v1::MemberSyncedResponse response;
  RETURN_IF_ERROR(metaserver_.Call("/cairn.v1.Cluster/MemberSynced", request, response,
                                   Deadline::After(std::chrono::seconds(2))));
  // Only what changed in this group: the rest comes with the next heartbeat.
  table_.Apply(response.changes(), false);
  return OkStatus();
}

Status ClusterLink::ActivateGroup(PgId group, Epoch epoch, const std::vector<ServerId>& heard) {
  v1::ActivateGroupsRequest request;
  request.set_reporter(table_.self().value);
  v1::ActivateGroupsRequest::Group& asked = *request.add_groups();
  asked.set_group(group.value);
  asked.set_epoch(epoch.value);
  for (const ServerId server : heard) asked.add_heard(server.value);
  v1::ActivateGroupsResponse response;
  RETURN_IF_ERROR(metaserver_.Call("/cairn.v1.Cluster/ActivateGroups", request, response,
                                   Deadline::After(std::chrono::seconds(2))));
  if (response.changes().groups().empty()) {
    return Status::Error(ErrorCode::kBusy, "epoch {} of group {} cannot be activated yet", epoch,
                         group);
  }
  table_.Apply(response.changes(), false);
  return OkStatus();
}

}  // namespace cairn

#include "cli/dev/metaservers.h"

#include <algorithm>
#include <thread>

#include "cli/cluster_birth.h"
#include "cli/dev/servers.h"

namespace cairn {

namespace {
constexpr std::chrono::milliseconds kRest{50};
constexpr Duration kLeaderTime = std::chrono::seconds(5);
constexpr char kHost[] = "127.0.0.1";

Birth BirthOf(const Shape& shape) {
  Birth birth;
  birth.cluster_id = shape.cluster_id;
  birth.copies = static_cast<uint32_t>(shape.copies);
  birth.min_active = static_cast<uint32_t>(shape.min_active);
  for (int number = 1; number <= shape.founders; ++number) {
    v1::MetaserverMember& founder = birth.founders.emplace_back();
    founder.set_server(static_cast<uint32_t>(number));
    *founder.mutable_address() = DevMetaserverAddress(shape, number);
  }
  return birth;
}

Status RememberFounded(DevCluster& cluster) {
  if (cluster.shape().founded) return OkStatus();
  Shape shape = cluster.shape();
  shape.founded = true;
  return cluster.SaveShape(std::move(shape));
}

// True once the cluster is born and a majority runs; else `wait` says what is waited for.
Result<bool> TakeNextStep(DevCluster& cluster, AdminClient& client, Deadline deadline,
                          const Teller& warn, Status& wait) {
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Survey survey = TakeSurvey(client, {"GetStatus", &request, &type},
                                   Deadline::After(std::min(kSurveyTime, deadline.Left())));
  const Birth birth = BirthOf(cluster.shape());
  ASSIGN_OR_RETURN(const BirthStep step, PlanBirth(birth, cluster.shape().founded, survey));
  if (step.kind == BirthStep::Kind::kBorn) {
    for (const GroupMember& lost : step.lost) warn(LostText(lost));
    RETURN_IF_ERROR(RememberFounded(cluster));
    return true;
  }
  wait = step.kind == BirthStep::Kind::kWait ? Status(ErrorCode::kUnavailable, step.waits_for)
                                             : TakeBirthStep(client, birth, step, deadline);
  if (wait.code() == ErrorCode::kWrongCluster) return Fail(wait);
  return false;
}
}  // namespace

v1::MetaserverAddress DevMetaserverAddress(const Shape& shape, int number) {
  const MetaserverPorts& ports = shape.meta_ports.at(static_cast<size_t>(number - 1));
  v1::MetaserverAddress address;
  address.mutable_frames()->set_host(kHost);
  address.mutable_frames()->set_port(ports.frames);
  address.mutable_grpc()->set_host(kHost);
  address.mutable_grpc()->set_port(ports.grpc);
  return address;
}

Status AwaitMetaservers(DevCluster& cluster, AdminClient& client, Deadline deadline,
                        const Teller& warn) {
  Status wait(ErrorCode::kUnavailable, "no metaserver has answered yet");
  for (;;) {
    RETURN_IF_ERROR(CheckServersRun(cluster));
    ASSIGN_OR_RETURN(const bool born, TakeNextStep(cluster, client, deadline, warn, wait));
    if (born) return OkStatus();
    if (deadline.Left() <= kRest) return wait;
    std::this_thread::sleep_for(kRest);
  }
}

Result<DevMember> FindLeader(const DevCluster& cluster) {
  ASSIGN_OR_RETURN(const ClusterAccess access, cluster.Access());
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const Deadline deadline = Deadline::After(kLeaderTime);
  do {
    const Survey survey = TakeSurvey(client, {}, Deadline::After(kSurveyTime));
    const MemberAnswer* best = BestOf(survey);
    for (int number = 1; number <= cluster.shape().meta; ++number) {
      const v1::MetaserverAddress address = DevMetaserverAddress(cluster.shape(), number);
      if (best != nullptr && best->Leads() && best->address.port == address.grpc().port()) {
        return DevMember{DevRole::kMeta, number};
      }
    }
    std::this_thread::sleep_for(kRest);
  } while (!deadline.Passed());
  return Fail(ErrorCode::kUnavailable, "no metaserver says that it leads");
}

}  // namespace cairn

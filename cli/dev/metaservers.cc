#include "cli/dev/metaservers.h"

#include <algorithm>
#include <thread>

#include "cli/cluster_birth.h"
#include "cli/dev/servers.h"
#include "cli/survey.h"

namespace cairn {

namespace {
constexpr Duration kLeaderTime = std::chrono::seconds(5);
constexpr char kHost[] = "127.0.0.1";

Birth BirthOf(const DevCluster& cluster) {
  const Shape& shape = cluster.shape();
  Birth birth;
  birth.cluster_id = shape.cluster_id;
  birth.copies = static_cast<uint32_t>(shape.copies);
  birth.min_active = static_cast<uint32_t>(shape.min_active);
  birth.verb_options = DirOption(cluster.directory(), LookupEnvironment::OfProcess());
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
  const Birth birth = BirthOf(cluster);
  for (;;) {
    RETURN_IF_ERROR(CheckServersRun(cluster));
    ASSIGN_OR_RETURN(const BirthStep step,
                     TakeBirthStep(client, birth, cluster.shape().founded, deadline));
    if (step.kind == BirthStep::Kind::kBorn) {
      for (const GroupMember& lost : step.lost) warn(LostText(birth, lost));
      return RememberFounded(cluster);
    }
    if (deadline.Left() <= kRest) return Status(ErrorCode::kUnavailable, step.waits_for);
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

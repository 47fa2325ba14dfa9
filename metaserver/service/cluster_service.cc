#include "metaserver/service/cluster_service.h"

#include <utility>

#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/methods.pb.h"

namespace cairn {

void RegisterClusterService(Dispatcher& dispatcher, Membership& membership,
                            GroupActivation& activation,
                            std::function<std::vector<v1::MetaserverMember>()> metaservers) {
  using JoinCall = Call<v1::JoinRequest, v1::JoinResponse>;
  dispatcher.Handle<v1::JoinRequest, v1::JoinResponse>(
      v1::CLUSTER_JOIN, [&membership](JoinCall call) {
        membership.Join(call.request(),
                        [call](Result<v1::JoinResponse> result) { call.Finish(result); });
      });

  using HeartbeatCall = Call<v1::HeartbeatRequest, v1::HeartbeatResponse>;
  dispatcher.Handle<v1::HeartbeatRequest, v1::HeartbeatResponse>(
      v1::CLUSTER_HEARTBEAT,
      [&membership, metaservers = std::move(metaservers)](HeartbeatCall call) {
        Result<v1::HeartbeatResponse> response = membership.Heartbeat(call.request());
        if (!response) return call.Fail(response.error());
        for (v1::MetaserverMember& member : metaservers()) {
          *response->add_metaservers() = std::move(member);
        }
        call.Reply(*response);
      });

  using ReportCall = Call<v1::ReportMemberRequest, v1::ReportMemberResponse>;
  dispatcher.Handle<v1::ReportMemberRequest, v1::ReportMemberResponse>(
      v1::CLUSTER_REPORT_MEMBER, [&membership](ReportCall call) {
        const Status status = membership.ReportMember(call.request());
        status.ok() ? call.Reply({}) : call.Fail(status);
      });

  using SyncedCall = Call<v1::MemberSyncedRequest, v1::MemberSyncedResponse>;
  dispatcher.Handle<v1::MemberSyncedRequest, v1::MemberSyncedResponse>(
      v1::CLUSTER_MEMBER_SYNCED, [&membership](SyncedCall call) {
        membership.MemberSynced(call.request(), [call](Result<v1::MemberSyncedResponse> result) {
          call.Finish(result);
        });
      });

  using ActivateCall = Call<v1::ActivateGroupsRequest, v1::ActivateGroupsResponse>;
  dispatcher.Handle<v1::ActivateGroupsRequest, v1::ActivateGroupsResponse>(
      v1::CLUSTER_ACTIVATE_GROUPS, [&activation](ActivateCall call) {
        activation.Activate(call.request(), [call](Result<v1::ActivateGroupsResponse> result) {
          call.Finish(result);
        });
      });
}

}  // namespace cairn

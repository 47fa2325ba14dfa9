// Who belongs to the cluster and to its placement groups: what chunkservers say (join, heartbeat,
// reports) and what follows from it. Knows no carrier.
#pragma once

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/member_reports.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "metaserver/sessions/admission.h"

namespace cairn {

// Thread-safe. No call blocks on the log.
class Membership {
 public:
  // Finds out whether a chunkserver answers on its data path; `done` runs once, on any thread.
  using Reach =
      std::function<void(const v1::ServerRecord& server, std::function<void(Status)> done)>;

  // `wake_monitor` is called when groups may need another look.
  Membership(ReplicatedState& state, MapCache& maps, ServerRegistry& registry, const Clock& clock,
             std::function<void()> wake_monitor, Reach reach, AdmissionCache& admission);

  // Commits who the server is. kWrongCluster: it belongs to another cluster, or carries an id this
  // one never gave its disk; kStaleRequest: the disk has been started again since; kUnavailable: it
  // is shunned.
  void Join(const v1::JoinRequest& request, std::function<void(Result<v1::JoinResponse>)> done);

  // An answer is a lease (rule C1) and carries what changed in the map, and whom to shut out (L1).
  // kNotFound: join first; else
  // as ServerRegistry::NoteHeartbeat.
  Result<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);

  // Rule C7. Ok means heard, not obeyed: the reporter repeats itself while the trouble lasts.
  // kStaleEpoch: the group has moved on; kNotPrimary: the reporter is not an active member.
  Status ReportMember(const v1::ReportMemberRequest& request);

  // Rule C4. Makes a syncing member active; asking again is ok. kStaleEpoch: the group has moved
  // on, or the member is not the process that was synced; kNotPrimary: the reporter is not the
  // primary.
  // The answer holds the one group and no map version.
  void MemberSynced(const v1::MemberSyncedRequest& request,
                    std::function<void(Result<v1::MemberSyncedResponse>)> done);

 private:
  Result<const v1::ServerRecord*> CheckJoin(const v1::JoinRequest& request,
                                            const MapSnapshot& map) const;
  Result<v1::JoinResponse> FinishJoin(ServerId server);
  Status JudgeReport(const v1::ReportMemberRequest& request, const v1::PlacementGroup& group,
                     const MapSnapshot& map);
  void HearAccused(ServerId reporter, const v1::ServerRecord& accused);
  void Shun(ServerId server, const std::string& reason);
  Result<v1::MemberSyncedResponse> CurrentGroup(PgId id);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
  const Clock& clock_;
  const std::function<void()> wake_monitor_;
  const Reach reach_;
  AdmissionCache& admission_;
  absl::Mutex mu_;
  MemberReports reports_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

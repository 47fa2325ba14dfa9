// The tie to the metaserver: join, heartbeat, lease, map, and what replication reports.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "chunkserver/replication/cluster_reports.h"
#include "chunkserver/replication/group_table.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/thread.h"

namespace cairn {

// One call to whichever metaserver answers; see MetaserverCalls.
class MetaserverCaller {
 public:
  using MetaserverList = google::protobuf::RepeatedPtrField<v1::MetaserverMember>;
  virtual ~MetaserverCaller() = default;
  // `method` is "/cairn.v1.Cluster/Heartbeat". Blocks. The answer of a metaserver that may not
  // answer (kUnavailable, kNotLeader) is no answer: the next one is asked.
  virtual Status Call(const std::string& method, const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& response, Deadline deadline) = 0;
  // Who can be asked from now on, as the leader says; empty: it does not say.
  virtual void Learn(const MetaserverList&) {}
};

struct ClusterLinkOptions {
  v1::JoinRequest join;  // what this server says of itself; cluster and server are filled in later
  // This server now belongs to a cluster: to be durable before it is used.
  std::function<Status(const std::string& cluster_id, ServerId server)> joined;
  // What the heartbeat reports; nothing when the disk has failed and the cluster shall notice.
  std::function<std::optional<v1::HeartbeatRequest>()> vitals;
  // Takes what else a heartbeat's answer tells. False: something is missing without which nothing
  // may be served, so that the answer is no lease (rule L1). May be empty.
  std::function<bool(const v1::HeartbeatResponse&)> heard;
  // The cluster refuses this server for good; it must stop.
  std::function<void(const Status&)> refused;
};

// Thread-safe.
class ClusterLink final : public ClusterReports {
 public:
  ClusterLink(GroupTable& table, const Clock& clock, MetaserverCaller& metaserver);
  ~ClusterLink() override;  // Stop()s

  void SetOptions(ClusterLinkOptions options);  // before Start()
  void Start();
  void Stop();
  // The map here is behind: the next heartbeat goes out at once.
  void RefreshSoon();

  void ReportMember(PgId group, Epoch epoch, ServerId accused, v1::MemberFault fault,
                    const std::string& reason) override;
  Status MemberSynced(PgId group, Epoch epoch, ServerId member, Incarnation incarnation) override;
  Status ActivateGroup(PgId group, Epoch epoch, const std::vector<ServerId>& heard) override;

 private:
  void Run();
  bool Pause(Duration delay);
  // Until the metaserver knows this start of the server, or Stop().
  bool Join();
  Status Heartbeat();

  GroupTable& table_;
  const Clock& clock_;
  MetaserverCaller& metaserver_;
  ClusterLinkOptions options_;
  absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;
  Thread thread_;
};

}  // namespace cairn

// The metaserver of a simulated cluster as chunkservers know it: joins, heartbeats, reports,
// members that are synced, and what follows for the groups. What plans and judges is real
// (placement/, cluster/server_registry, cluster/member_reports); the log is a delay between
// deciding and being committed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cairn/v1/cluster.pb.h"
#include "metaserver/cluster/member_reports.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/placement/plan_members.h"
#include "metaserver/placement/plan_moves.h"
#include "tests/simulation/chunks/session_keeper.h"
#include "tests/simulation/chunks/wires.h"

namespace cairn::simulation::chunks {

// "group 1 epoch 7: 2 3(syncing)"
std::string ToString(const v1::PlacementGroup& group);

// Confined to the run.
class MapKeeper {
 public:
  MapKeeper(ChunkWorld& world, Wires& wires);
  void Start();

  // The founding map: `members` of each group, all active as they will start first.
  void AddServer(const v1::ServerRecord& record);
  void AddGroup(const v1::PlacementGroup& group);

  const std::map<PgId, v1::PlacementGroup>& groups() const { return groups_; }
  const v1::PlacementGroup& group(PgId id) const { return groups_.at(id); }
  const std::map<ServerId, v1::ServerRecord>& servers() const { return servers_; }
  // The machine of a server.
  Node NodeOf(ServerId server) const { return servers_.at(server).frames().port(); }
  ServerView View(ServerId server) const { return registry_.View(servers_.at(server)); }
  // Every active member is up as it became active (as Reaper::GroupIsQuiet).
  bool IsQuiet(PgId id) const;

  SessionKeeper& sessions() { return sessions_; }

  // Another metaserver leads: it has the map, and has heard nobody.
  void ChangeLeader();
  // `server` is lost for good, `replacement` takes its places. REQUIRES: it is active nowhere.
  void Replace(ServerId server, ServerId replacement);
  // Active, or a source should those that are active be lost.
  bool IsActiveAnywhere(ServerId server) const;
  // Everything is to be scrubbed at once.
  void OrderScrub() { ++scrub_order_; }
  // Nobody is drained any more.
  void EndDrains();
  // Hears of each epoch when it is recorded as activated.
  void OnActivated(std::function<void(PgId)> hook) { activated_ = std::move(hook); }

 private:
  class LocalClock final : public Clock {
   public:
    LocalClock(const ChunkWorld& world, const Domain& domain) : world_(world), domain_(domain) {}
    BootTime Now() const override { return {domain_.Local(world_.now())}; }
    WallTime WallNow() const override {
      const int64_t now = Now().since_boot.count();
      return {now / 1'000'000'000, static_cast<uint32_t>(now % 1'000'000'000)};
    }

   private:
    const ChunkWorld& world_;
    const Domain& domain_;
  };
  using JoinCall = Call<v1::JoinRequest, v1::JoinResponse>;
  using HeartbeatCall = Call<v1::HeartbeatRequest, v1::HeartbeatResponse>;
  using ReportCall = Call<v1::ReportMemberRequest, v1::ReportMemberResponse>;
  using SyncedCall = Call<v1::MemberSyncedRequest, v1::MemberSyncedResponse>;
  using ActivateCall = Call<v1::ActivateGroupsRequest, v1::ActivateGroupsResponse>;

  void Join(const JoinCall& call);
  void Heartbeat(const HeartbeatCall& call);
  Status Report(const v1::ReportMemberRequest& request);
  void Synced(const SyncedCall& call);
  void ActivateGroup(const ActivateCall& call);
  bool HasLeft(const v1::PlacementGroup& group, ServerId server) const;
  void PutInPlace(ServerId server, ServerId replacement);
  // Repair, balance and now and then a server that is drained.
  void Move();
  ClusterShape Shape() const;
  void Look();
  std::optional<v1::PlacementGroup> FirstBack(const v1::PlacementGroup& group) const;
  bool Condemn(const std::vector<v1::PlacementGroup>& updates);
  // `done`: true, or the group had moved on.
  void Commit(const v1::PlacementGroup& next, const std::function<void(bool)>& done);
  void Later(std::function<void()> work);
  v1::ClusterMap ChangesSince(uint64_t version) const;
  ServerView Seen(ServerId server) const;

  ChunkWorld& world_;
  Wires& wires_;
  Random random_;
  Domain domain_;
  LocalClock clock_;
  Dispatcher dispatcher_;
  PortPtr port_;
  ServerRegistry registry_;
  MemberReports reports_;
  uint64_t version_ = 1;
  uint64_t leaders_ = 0;
  std::map<ServerId, v1::ServerRecord> servers_;
  std::map<PgId, v1::PlacementGroup> groups_;
  std::map<PoolId, v1::Pool> pools_;
  std::map<ServerId, ServerId> replaced_;
  uint64_t scrub_order_ = 0;
  std::optional<ServerId> draining_;
  bool drains_ = true;
  SessionKeeper sessions_;
  std::function<void(PgId)> activated_ = [](PgId) {};
};

}  // namespace cairn::simulation::chunks

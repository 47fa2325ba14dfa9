// A metaserver's cluster part over a fake state and a hand-driven clock, and chunkservers that say
// what a test makes them say.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metaserver/cluster/cluster_resources.h"
#include "metaserver/cluster/group_activation.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/member_monitor.h"
#include "metaserver/cluster/membership.h"
#include "metaserver/cluster/server_registry.h"
#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {

using namespace std::chrono_literals;

class ClusterFixture : public ::testing::Test {
 protected:
  ClusterFixture() { RestartMetaserver(); }

  // Soft state is gone; rows stay.
  void RestartMetaserver() {
    registry_ = std::make_unique<ServerRegistry>(clock_);
    maps_ = std::make_unique<MapCache>(state_);
    monitor_ = std::make_unique<MemberMonitor>(state_, *maps_, *registry_, clock_);
    admission_ = std::make_unique<AdmissionCache>(state_);
    membership_ = std::make_unique<Membership>(
        state_, *maps_, *registry_, clock_, [this] { ++wakes_; },
        [this](const v1::ServerRecord&, const auto& done) { done(reach_); }, *admission_);
    resources_ = std::make_unique<ClusterResources>(state_, *maps_, *registry_);
    activation_ = std::make_unique<GroupActivation>(state_, *maps_, *registry_);
    state_.OnMapChanged([this] { maps_->Invalidate(); });
    state_.OnAdmissionChange(
        [this](bool shown) { shown ? admission_->EndChange() : admission_->BeginChange(); });
  }

  void Found(uint32_t copies) {
    v1::Command command;
    command.mutable_found_cluster()->set_cluster_id("c1");
    command.mutable_found_cluster()->set_copies(copies);
    command.mutable_found_cluster()->set_min_active(1);
    ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  }

  // A cluster of `servers` joined chunkservers whose pool has its groups; past the first patience.
  void Build(uint32_t servers, uint32_t copies) {
    Found(copies);
    for (uint32_t i = 1; i <= servers; ++i) ASSERT_THAT(Join(i), IsOk());
    Pass(7s);
    ASSERT_THAT(Ensure(), IsOk());
  }

  struct Chunkserver {
    uint32_t id = 0;
    uint64_t incarnation = 1;
    std::string boot = "boot-a";
    uint64_t available_bytes = 900;
    bool running = true;
    uint64_t fences_known = 0;
    uint64_t fences_finished = 0;
  };

  v1::JoinRequest JoinRequestOf(uint32_t number) {
    Chunkserver& server = servers_[number];
    v1::JoinRequest request;
    request.set_server(server.id);
    if (server.id != 0) request.set_cluster_id("c1");
    request.set_disk_uuid("disk-" + std::to_string(number));
    request.mutable_frames()->set_host("host" + std::to_string(number));
    request.mutable_frames()->set_port(7410);
    request.set_host("host" + std::to_string(number));
    request.set_boot_id(server.boot);
    request.set_incarnation(server.incarnation);
    return request;
  }

  Status JoinWith(const v1::JoinRequest& request, uint32_t* id = nullptr) {
    std::optional<Status> status;
    membership_->Join(request, [&](Result<v1::JoinResponse> response) {
      status = internal::StatusOf(response);
      if (response.has_value() && id != nullptr) *id = response->server();
    });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }
  Status Join(uint32_t number) {
    const v1::JoinRequest request = JoinRequestOf(number);
    Status status = JoinWith(request, &servers_[number].id);
    servers_[number].running = true;
    return status;
  }

  void Kill(uint32_t number) { servers_[number].running = false; }
  // Comes back as a new process; with a new boot id the machine lost its page cache.
  Status Restart(uint32_t number, const std::string& boot = "boot-a") {
    servers_[number].incarnation++;
    servers_[number].boot = boot;
    return Join(number);
  }

  Result<v1::HeartbeatResponse> Beat(uint32_t number, uint64_t map_version = 0) {
    v1::HeartbeatRequest request;
    request.set_server(servers_[number].id);
    request.set_incarnation(servers_[number].incarnation);
    request.set_map_version(map_version);
    request.set_total_bytes(1000);
    request.set_available_bytes(servers_[number].available_bytes);
    request.set_fences_known(servers_[number].fences_known);
    request.set_fences_finished(servers_[number].fences_finished);
    return membership_->Heartbeat(request);
  }

  // Time goes by: running servers beat, the monitor looks.
  void Pass(Duration time) {
    for (Duration passed{0}; passed < time; passed += 100ms) {
      clock_.Advance(100ms);
      if (++ticks_ % 5 == 0) {
        for (auto& [number, server] : servers_) {
          if (server.running) (void)Beat(number);
        }
      }
      Look();
      if (primaries_serve_) Serve();
    }
  }
  // Running primaries have their epochs activated; what leaves knows of it.
  void Serve() {
    const std::shared_ptr<const MapSnapshot> map = Map();
    for (const auto& [id, group] : map->groups) {
      const v1::Member* primary = PrimaryOf(group);
      if (IsActivated(group) || primary == nullptr) continue;
      if (!servers_[primary->server()].running) continue;
      v1::ActivateGroupsRequest request;
      request.set_reporter(primary->server());
      request.add_groups()->set_group(id.value);
      request.mutable_groups(0)->set_epoch(group.epoch());
      for (const v1::Member& member : group.members()) {
        if (member.state() == v1::MEMBER_LEAVING) {
          request.mutable_groups(0)->add_heard(member.server());
        }
      }
      activation_->Activate(request, [](const Result<v1::ActivateGroupsResponse>&) {});
    }
  }
  // Until nothing is left to plan.
  void Look() {
    int before = -1;
    while (before != state_.group_updates()) {
      before = state_.group_updates();
      (void)monitor_->Tick().ok();
    }
  }

  Status Ensure() {
    std::optional<Status> status;
    resources_->Ensure(PoolId(1), [&](Status result) { status = std::move(result); });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }

  Status Report(uint32_t reporter, uint32_t accused, v1::MemberFault fault) {
    const v1::PlacementGroup group = GroupWith(reporter, accused);
    v1::ReportMemberRequest request;
    request.set_reporter(reporter);
    request.set_group(group.id());
    request.set_epoch(group.epoch());
    request.set_accused(accused);
    request.set_fault(fault);
    return membership_->ReportMember(request);
  }

  Status Synced(const v1::MemberSyncedRequest& request) {
    std::optional<Status> status;
    membership_->MemberSynced(request, [&](Result<v1::MemberSyncedResponse> response) {
      status = internal::StatusOf(response);
    });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }

  std::shared_ptr<const MapSnapshot> Map() { return *maps_->Get(); }
  v1::PlacementGroup Group(uint32_t id) { return *Map()->FindGroup(PgId(id)); }
  v1::PlacementGroup GroupWith(uint32_t a, uint32_t b) {
    for (const auto& [id, group] : Map()->groups) {
      if (FindMember(group, ServerId(a)) && FindMember(group, ServerId(b))) return group;
    }
    return {};
  }
  // In how many groups the server is active as the process it is now.
  int ActiveGroups(uint32_t server) {
    int count = 0;
    for (const auto& [id, group] : Map()->groups) {
      const v1::Member* member = FindMember(group, ServerId(server));
      if (member != nullptr && member->state() == v1::MEMBER_ACTIVE &&
          member->incarnation() == servers_[server].incarnation) {
        ++count;
      }
    }
    return count;
  }
  int Groups() { return static_cast<int>(Map()->groups.size()); }

  Status StatusOfPropose(v1::Command command) {
    std::optional<Status> status;
    state_.Propose(std::move(command),
                   [&](Result<v1::Outcome> outcome) { status = internal::StatusOf(outcome); });
    return status.value_or(Status(ErrorCode::kInternal, "no answer"));
  }

  ManualClock clock_;
  FakeState state_;
  std::unique_ptr<ServerRegistry> registry_;
  std::unique_ptr<MapCache> maps_;
  std::unique_ptr<MemberMonitor> monitor_;
  std::unique_ptr<AdmissionCache> admission_;
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<ClusterResources> resources_;
  std::unique_ptr<GroupActivation> activation_;
  bool primaries_serve_ = true;
  std::map<uint32_t, Chunkserver> servers_;
  int wakes_ = 0;
  Status reach_;  // what trying to reach an accused server gives
  int ticks_ = 0;
};

}  // namespace cairn

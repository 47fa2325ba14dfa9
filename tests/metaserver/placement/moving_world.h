// A cluster in which everything that a plan of moves asks for is done at once.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "metaserver/placement/plan_groups.h"
#include "metaserver/placement/plan_members.h"
#include "metaserver/placement/plan_moves.h"
#include "tests/common/status_matchers.h"

namespace cairn {

using namespace std::chrono_literals;

// Begins with one pool, 1.
class MovingWorld {
 public:
  using Presence = ServerView::Presence;

  MovingWorld(uint32_t servers, uint32_t copies, uint32_t per_host = 1, uint32_t per_rack = 1000) {
    for (uint32_t i = 1; i <= servers; ++i) AddServer(i, per_host, per_rack);
    AddPool(1, copies);
  }

  // Over the servers there are.
  void AddPool(uint32_t id, uint32_t copies) {
    pools_[PoolId(id)].set_id(id);
    pools_[PoolId(id)].set_copies(copies);
    std::vector<PlacementServer> placed;
    for (const auto& [server, target] : targets_) {
      placed.push_back({server, target.host, target.rack, target.view.incarnation, "boot", 0});
    }
    std::vector<v1::PlacementGroup> planned = *PlanGroups(PoolId(id), copies, placed);
    for (v1::PlacementGroup& group : planned) {
      group.set_id(static_cast<uint32_t>(groups_.size()) + 1);
      group.set_epoch(1);
      Activate(group);
      groups_[PgId(group.id())] = group;
    }
  }

  PlacementTarget& AddServer(uint32_t id, uint32_t per_host = 1, uint32_t per_rack = 1000) {
    PlacementTarget& target = targets_[ServerId(id)];
    target.id = ServerId(id);
    target.host = "host" + std::to_string((id - 1) / per_host);
    target.rack = "rack" + std::to_string((id - 1) / per_rack);
    target.view = {Presence::kAlive, Incarnation(10), "boot"};
    target.total_bytes = 1000;
    target.available_bytes = 900;
    return target;
  }
  PlacementTarget& server(uint32_t id) { return targets_.at(ServerId(id)); }
  void Lose(uint32_t id, Duration silence = 60s) {
    server(id).view.presence = Presence::kGone;
    server(id).silence = silence;
  }
  void Return(uint32_t id) {
    server(id).view.presence = Presence::kAlive;
    server(id).view.incarnation.value++;
    server(id).silence = Duration::zero();
  }

  ClusterShape Shape() const { return {&pools_, &groups_, targets_, sizes_, {}}; }
  std::vector<v1::PlacementGroup> Plan() const { return PlanMoves(Shape(), policy_); }

  // Everything that follows from one look: plans, activations, and with `sync` catch-ups that end.
  // False: nothing was to be done.
  bool Step(bool sync = true) {
    bool changed = false;
    const auto view_of = [this](ServerId id) { return targets_.at(id).view; };
    for (auto& [id, group] : groups_) {
      if (auto next = PlanMembers(group, view_of)) {
        group = *next;
        changed = true;
      }
      if (!IsActivated(group) && PrimaryOf(group) != nullptr) Activate(group);
    }
    for (v1::PlacementGroup& next : Plan()) {
      Check(groups_.at(PgId(next.id())), next);
      groups_[PgId(next.id())] = next;
      ++planned_;
      changed = true;
    }
    if (sync) changed = SyncMembers() || changed;
    return changed;
  }
  void Settle() {
    for (int steps = 0; Step(); ++steps) ASSERT_LT(steps, 2000) << "it never comes to rest";
  }

  int Active(uint32_t server) const {
    return Count([&](const v1::Member& member) {
      return member.server() == server && member.state() == v1::MEMBER_ACTIVE;
    });
  }
  int ActiveIn(uint32_t pool, uint32_t server) const {
    int count = 0;
    for (const auto& [id, group] : groups_) {
      const v1::Member* member = FindMember(group, ServerId(server));
      const bool active = member != nullptr && member->state() == v1::MEMBER_ACTIVE;
      count += group.pool() == pool && active ? 1 : 0;
    }
    return count;
  }
  int Memberships(uint32_t server) const {
    return Count([&](const v1::Member& member) { return member.server() == server; });
  }
  void ExpectWhole(uint32_t copies, uint32_t pool = 1) {
    for (const auto& [id, group] : groups_) {
      if (group.pool() != pool) continue;
      std::set<uint32_t> active;
      for (const v1::Member& member : group.members()) {
        if (MayServe(member, targets_.at(ServerId(member.server())).view)) {
          active.insert(member.server());
        }
      }
      EXPECT_EQ(active.size(), copies) << group.ShortDebugString();
      EXPECT_EQ(group.members_size(), static_cast<int>(copies)) << group.ShortDebugString();
    }
  }
  std::map<PgId, v1::PlacementGroup>& groups() { return groups_; }
  std::map<PgId, GroupSize>& sizes() { return sizes_; }
  int planned() const { return planned_; }
  MovePolicy policy_;

 private:
  template <typename Predicate>
  int Count(const Predicate& predicate) const {
    int count = 0;
    for (const auto& [id, group] : groups_) {
      count += static_cast<int>(
          std::count_if(group.members().begin(), group.members().end(), predicate));
    }
    return count;
  }
  // What no plan may ever do.
  void Check(const v1::PlacementGroup& before, const v1::PlacementGroup& after) {
    EXPECT_EQ(after.epoch(), before.epoch() + 1);
    uint32_t kept = 0;
    for (const v1::Member& member : after.members()) {
      const v1::Member* was = FindMember(before, ServerId(member.server()));
      const bool alive = targets_.at(ServerId(member.server())).view.presence == Presence::kAlive;
      if (member.state() == v1::MEMBER_ACTIVE) {
        ASSERT_TRUE(was != nullptr && was->state() == v1::MEMBER_ACTIVE);
        kept += alive ? 1 : 0;
      }
      if (was == nullptr) {
        EXPECT_EQ(member.state(), v1::MEMBER_SYNCING);
      }
    }
    const bool somebody_left = CountActive(after) < CountActive(before);
    if (somebody_left) {
      EXPECT_GE(kept, pools_[PoolId(before.pool())].copies()) << before.ShortDebugString();
    }
  }
  static long CountActive(const v1::PlacementGroup& group) {
    return std::count_if(group.members().begin(), group.members().end(),
                         [](const auto& member) { return member.state() == v1::MEMBER_ACTIVE; });
  }
  bool SyncMembers() {
    bool changed = false;
    for (auto& [id, group] : groups_) {
      if (PrimaryOf(group) == nullptr || !IsActivated(group)) continue;
      for (const v1::Member& member : group.members()) {
        const ServerView& view = targets_.at(ServerId(member.server())).view;
        if (member.state() != v1::MEMBER_SYNCING || view.presence != Presence::kAlive) continue;
        group = PlanActivation(group, ServerId(member.server()), view);
        changed = true;
        break;
      }
    }
    return changed;
  }

  std::map<PoolId, v1::Pool> pools_;
  std::map<PgId, v1::PlacementGroup> groups_;
  std::map<ServerId, PlacementTarget> targets_;
  std::map<PgId, GroupSize> sizes_;
  int planned_ = 0;
};

}  // namespace cairn

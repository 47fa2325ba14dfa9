// A cluster put together by hand, for tests of what is said about it: servers that are alive,
// groups of known size whose members are all active and whose epoch counts.
#pragma once

#include <initializer_list>
#include <map>
#include <string>

#include "metaserver/placement/plan_moves.h"

namespace cairn {

inline constexpr uint64_t kMebi = 1u << 20;

class HandMadeShape {
 public:
  explicit HandMadeShape(uint32_t servers, uint32_t copies = 3) {
    AddPool(1, copies);
    for (uint32_t id = 1; id <= servers; ++id) {
      PlacementTarget& target = targets_[ServerId(id)];
      target.id = ServerId(id);
      target.host = "host" + std::to_string(id);
      target.view = {ServerView::Presence::kAlive, Incarnation(10), "boot"};
      target.total_bytes = 1000;
      target.available_bytes = 900;
    }
  }
  // Groups are added to pool 1 and may be moved to another.
  void AddPool(uint32_t id, uint32_t copies) {
    pools_[PoolId(id)].set_id(id);
    pools_[PoolId(id)].set_copies(copies);
  }
  v1::PlacementGroup& AddGroup(uint32_t id, std::initializer_list<uint32_t> servers,
                               uint64_t bytes = 0) {
    v1::PlacementGroup& group = groups_[PgId(id)];
    group.set_id(id);
    group.set_pool(1);
    group.set_epoch(1);
    for (const uint32_t server : servers) {
      v1::Member& member = *group.add_members();
      member.set_server(server);
      MakeActive(member, targets_.at(ServerId(server)).view);
    }
    Activate(group);
    if (bytes > 0) sizes_[PgId(id)] = {1, bytes};
    return group;
  }
  PlacementTarget& server(uint32_t id) { return targets_.at(ServerId(id)); }
  v1::PlacementGroup& group(uint32_t id) { return groups_.at(PgId(id)); }
  // It is gone, and no group counts on it.
  void Lose(uint32_t id, Duration silence = std::chrono::seconds(60)) {
    server(id).view.presence = ServerView::Presence::kGone;
    server(id).silence = silence;
    for (auto& [group_id, group] : groups_) {
      for (v1::Member& member : *group.mutable_members()) {
        if (member.server() == id) MakeInactive(member, v1::MEMBER_SYNCING);
      }
    }
  }
  void AddSyncing(uint32_t group_id, uint32_t id) {
    v1::Member& member = *group(group_id).add_members();
    member.set_server(id);
    member.set_state(v1::MEMBER_SYNCING);
  }
  void Copying(uint32_t group_id, uint32_t id, const CopyState& state) {
    copies_[{PgId(group_id), ServerId(id)}] = state;
  }
  // The member has all, and who is lost is no member any more.
  void Synced(uint32_t group_id, uint32_t id) {
    copies_.erase({PgId(group_id), ServerId(id)});
    auto& members = *group(group_id).mutable_members();
    for (int i = members.size() - 1; i >= 0; --i) {
      if (members[i].server() == id) MakeActive(members[i], server(id).view);
      const auto presence = server(members[i].server()).view.presence;
      if (presence == ServerView::Presence::kGone) members.DeleteSubrange(i, 1);
    }
  }
  void ForgetSizes() {
    sizes_.clear();
    copies_.clear();
  }
  void Sizes(std::map<PgId, GroupSize> sizes) { sizes_ = std::move(sizes); }
  ClusterShape Shape() const { return {&pools_, &groups_, targets_, sizes_, copies_}; }

 private:
  std::map<PoolId, v1::Pool> pools_;
  std::map<PgId, v1::PlacementGroup> groups_;
  std::map<ServerId, PlacementTarget> targets_;
  std::map<PgId, GroupSize> sizes_;
  std::map<std::pair<PgId, ServerId>, CopyState> copies_;
};

}  // namespace cairn

#include "metaserver/placement/plan_moves.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "common/hash.h"
#include "metaserver/placement/target_loads.h"

namespace cairn {
namespace {

using Presence = ServerView::Presence;

const PlacementTarget kUnknownTarget;

// One group as the planner sees it.
struct Situation {
  const v1::PlacementGroup* group = nullptr;
  uint32_t wanted = 0;
  uint32_t serving = 0;  // active, alive or quiet, not restarted
  uint32_t settled = 0;  // serving, alive, on servers that stay
  uint32_t counted = 0;  // members that are a copy, now or soon
  uint64_t bytes = 0;
};

class Planner {
 public:
  Planner(const ClusterShape& shape, const MovePolicy& policy)
      : shape_(shape), policy_(policy), loads_(shape) {}

  std::vector<v1::PlacementGroup> Plan();

 private:
  const PlacementTarget& TargetOf(uint32_t server) const {
    const auto found = shape_.targets.find(ServerId(server));
    return found == shape_.targets.end() ? kUnknownTarget : found->second;
  }
  Situation Assess(const v1::PlacementGroup& group) const;
  void CountCopiesUnderWay();
  // Members that are wanted no more. True: the group changes.
  bool Shrink(const Situation& situation);
  bool DropSyncing(const Situation& situation);
  bool IsWelcome(const v1::PlacementGroup& group, const PlacementTarget& target) const;
  bool LetLeave(const Situation& situation);
  std::optional<uint32_t> ChooseLeaver(const v1::PlacementGroup& group) const;
  // Adds the member that is missing most, if somebody can take it.
  bool Grow(const Situation& situation);
  bool AddMember(const v1::PlacementGroup& group, const PlacementTarget& target);
  std::optional<ServerId> ChooseTarget(const Situation& situation) const;
  bool IsBusy(ServerId target) const;
  void Rebalance(const std::vector<Situation>& situations);
  bool MoveForBalance(const Situation& situation);
  bool EvenPrimaries(const Situation& situation);
  void Emit(const v1::PlacementGroup& before, v1::PlacementGroup next);

  const ClusterShape& shape_;
  const MovePolicy& policy_;
  TargetLoads loads_;
  std::map<uint32_t, uint32_t> copies_in_;
  std::map<uint32_t, uint32_t> copies_out_;
  uint32_t under_way_ = 0;
  std::vector<v1::PlacementGroup> updates_;
};

Situation Planner::Assess(const v1::PlacementGroup& group) const {
  Situation situation;
  situation.group = &group;
  const auto pool = shape_.pools->find(PoolId(group.pool()));
  situation.wanted = pool == shape_.pools->end() ? 0 : pool->second.copies();
  if (const auto size = shape_.sizes.find(PgId(group.id())); size != shape_.sizes.end()) {
    situation.bytes = size->second.bytes;
  }
  for (const v1::Member& member : group.members()) {
    const PlacementTarget& target = TargetOf(member.server());
    if (!MayServe(member, target.view)) continue;
    ++situation.serving;
    if (target.view.presence == Presence::kAlive && !target.draining) ++situation.settled;
  }
  for (const v1::Member& member : group.members()) {
    const PlacementTarget& target = TargetOf(member.server());
    const bool last_copy = IsLastCopy(situation.serving, situation.wanted);
    if (CountsAsCopy(member, target, last_copy, policy_)) ++situation.counted;
  }
  return situation;
}

// A syncing member whose server is there is being copied to, or about to be.
void Planner::CountCopiesUnderWay() {
  for (const auto& [id, group] : *shape_.groups) {
    const v1::Member* primary = PrimaryOf(group);
    for (const v1::Member& member : group.members()) {
      const bool copying = member.state() == v1::MEMBER_SYNCING && primary != nullptr &&
                           TargetOf(member.server()).view.presence != Presence::kGone;
      if (!copying) continue;
      ++under_way_;
      ++copies_in_[member.server()];
      ++copies_out_[primary->server()];
    }
  }
}

std::vector<v1::PlacementGroup> Planner::Plan() {
  CountCopiesUnderWay();
  std::vector<Situation> situations;
  size_t lost = 0;
  for (const auto& [id, group] : *shape_.groups) {
    lost += group.lost() ? 1 : 0;
    // Who was in an epoch that is not activated may still be the source (rule C3).
    if (IsActivated(group) && !group.lost()) situations.push_back(Assess(group));
  }
  // Fewest copies first, then most bytes.
  std::stable_sort(situations.begin(), situations.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.serving, b.bytes) < std::tuple(b.serving, a.bytes);
  });
  bool all_well = situations.size() + lost == shape_.groups->size();
  for (const Situation& situation : situations) {
    all_well = all_well && situation.wanted > 0 && situation.settled >= situation.wanted;
    if (situation.wanted == 0 || situation.serving == 0) continue;
    if (!Shrink(situation) && situation.counted < situation.wanted) Grow(situation);
  }
  if (all_well && updates_.empty()) Rebalance(situations);
  return std::move(updates_);
}

bool Planner::Shrink(const Situation& situation) {
  if (situation.settled < situation.wanted) return false;
  return LetLeave(situation) || DropSyncing(situation);
}

// All copies are there without them: what they would catch up with, others have. One that is there
// and has no more than its share stays: it has much of the data, or moves in for balance.
bool Planner::DropSyncing(const Situation& situation) {
  v1::PlacementGroup next = *situation.group;
  auto& members = *next.mutable_members();
  bool kept = situation.settled > situation.wanted;
  const auto dropped = std::remove_if(members.begin(), members.end(), [&](const auto& member) {
    if (member.state() != v1::MEMBER_SYNCING) return false;
    if (kept || !IsWelcome(*situation.group, TargetOf(member.server()))) return true;
    kept = true;
    return false;
  });
  if (dropped == members.end()) return false;
  members.erase(dropped, members.end());
  Emit(*situation.group, std::move(next));
  return true;
}

bool Planner::IsWelcome(const v1::PlacementGroup& group, const PlacementTarget& target) const {
  if (target.view.presence != Presence::kAlive || target.draining) return false;
  const PoolId pool(group.pool());
  return std::any_of(group.members().begin(), group.members().end(), [&](const auto& member) {
    return member.state() == v1::MEMBER_ACTIVE &&
           loads_.LoadOf(pool, ServerId(member.server())) >= loads_.LoadOf(pool, target.id);
  });
}

// An active member more than wanted: one goes, and with it its draining.
bool Planner::LetLeave(const Situation& situation) {
  const std::optional<uint32_t> leaver = ChooseLeaver(*situation.group);
  const bool surplus = situation.serving > situation.wanted;
  if (!surplus || !leaver.has_value()) return false;
  const bool leaver_counts =
      TargetOf(*leaver).view.presence == Presence::kAlive && !TargetOf(*leaver).draining;
  if (leaver_counts && situation.settled <= situation.wanted) return false;
  v1::PlacementGroup next = *situation.group;
  for (v1::Member& member : *next.mutable_members()) {
    if (member.server() == *leaver) MakeInactive(member, v1::MEMBER_LEAVING);
  }
  Emit(*situation.group, std::move(next));
  return true;
}

// Draining servers first; then whoever shares rack or host with another member; then the most
// loaded. The primary last of equals, for a change of primary makes clients wait.
std::optional<uint32_t> Planner::ChooseLeaver(const v1::PlacementGroup& group) const {
  std::optional<std::tuple<bool, int, double, bool, uint64_t>> best;
  std::optional<uint32_t> leaver;
  const v1::Member* primary = PrimaryOf(group);
  for (const v1::Member& member : group.members()) {
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    const PlacementTarget& target = TargetOf(member.server());
    const std::tuple rank(target.draining, loads_.Neighbours(group, target),
                          loads_.LoadOf(PoolId(group.pool()), target.id), &member != primary,
                          MixBits((uint64_t{group.id()} << 32) | member.server()));
    if (best.has_value() && rank <= *best) continue;
    best = rank;
    leaver = member.server();
  }
  return leaver;
}

bool Planner::Grow(const Situation& situation) {
  const v1::PlacementGroup& group = *situation.group;
  if (copies_out_[PrimaryOf(group)->server()] >= policy_.copies_out) return false;
  const std::optional<ServerId> chosen = ChooseTarget(situation);
  return chosen.has_value() && AddMember(group, shape_.targets.at(*chosen));
}

bool Planner::IsBusy(ServerId target) const {
  const auto in = copies_in_.find(target.value);
  return in != copies_in_.end() && in->second >= policy_.copies_in;
}

// One that is busy is waited for rather than putting the copy beside another one, from where it
// would have to move again. A last copy waits for nothing.
std::optional<ServerId> Planner::ChooseTarget(const Situation& situation) const {
  const v1::PlacementGroup& group = *situation.group;
  std::optional<std::tuple<int, double, uint64_t>> best;
  std::optional<ServerId> chosen;
  int farthest_busy = std::numeric_limits<int>::max();
  for (const auto& [id, target] : shape_.targets) {
    if (!MayTakeGroups(target, policy_) || FindMember(group, id) != nullptr) continue;
    const int near = loads_.Neighbours(group, target);
    if (IsBusy(id)) {
      farthest_busy = std::min(farthest_busy, near);
      continue;
    }
    const std::tuple rank(near, loads_.LoadOf(PoolId(group.pool()), id),
                          MixBits((uint64_t{group.id()} << 32) | id.value));
    if (best.has_value() && rank >= *best) continue;
    best = rank;
    chosen = id;
  }
  const bool last_copy = IsLastCopy(situation.serving, situation.wanted);
  const bool waits = best.has_value() && farthest_busy < std::get<0>(*best) && !last_copy;
  return waits ? std::nullopt : chosen;
}

bool Planner::AddMember(const v1::PlacementGroup& group, const PlacementTarget& target) {
  v1::PlacementGroup next = group;
  v1::Member& member = *next.add_members();
  member.set_server(target.id.value);
  member.set_state(v1::MEMBER_SYNCING);
  ++copies_in_[target.id.value];
  ++copies_out_[PrimaryOf(group)->server()];
  loads_.Add(PoolId(group.pool()), target.id);
  Emit(group, std::move(next));
  return true;
}

void Planner::Rebalance(const std::vector<Situation>& situations) {
  for (const Situation& situation : situations) {
    if (under_way_ + updates_.size() >= policy_.rebalanced) return;
    MoveForBalance(situation);
  }
  if (under_way_ > 0 || !updates_.empty()) return;
  for (const Situation& situation : situations) {
    if (updates_.size() >= policy_.rebalanced) return;
    EvenPrimaries(situation);
  }
}

// The group takes in a server that has less than its share; who has more leaves when that is done.
bool Planner::MoveForBalance(const Situation& situation) {
  const v1::PlacementGroup& group = *situation.group;
  if (group.members_size() != static_cast<int>(situation.wanted)) return false;
  const std::optional<ServerId> to = ChooseTarget(situation);
  if (!to.has_value()) return false;
  v1::PlacementGroup grown = group;
  v1::Member& added = *grown.add_members();
  added.set_server(to->value);
  added.set_state(v1::MEMBER_ACTIVE);
  const std::optional<uint32_t> leaver = ChooseLeaver(grown);
  if (!leaver.has_value() || *leaver == to->value) return false;
  if (!loads_.MoveImproves(group, ServerId(*leaver), *to)) return false;
  return AddMember(group, shape_.targets.at(*to));
}

// A server that leads more groups than another member by two or more hands one over.
bool Planner::EvenPrimaries(const Situation& situation) {
  const v1::PlacementGroup& group = *situation.group;
  if (group.members_size() != static_cast<int>(situation.wanted)) return false;
  const auto leads_of = [&](const v1::Member& member) {
    return loads_.PrimariesOf(PoolId(group.pool()), ServerId(member.server()));
  };
  const int leads = leads_of(*PrimaryOf(group));
  v1::PlacementGroup next = group;
  auto& members = *next.mutable_members();
  const auto fewest = std::min_element(
      members.begin(), members.end(),
      [&](const auto& a, const auto& b) { return leads_of(a) < leads_of(b); });
  if (leads_of(*fewest) + 1 >= leads) return false;
  std::swap(*fewest, *members.begin());
  loads_.MovePrimary(PoolId(group.pool()), ServerId(PrimaryOf(group)->server()),
                     ServerId(PrimaryOf(next)->server()));
  Emit(group, std::move(next));
  return true;
}

void Planner::Emit(const v1::PlacementGroup& before, v1::PlacementGroup next) {
  BeginEpoch(before, next);
  updates_.push_back(std::move(next));
}

}  // namespace

bool CountsAsCopy(const v1::Member& member, const PlacementTarget& target, bool last_copy,
                  const MovePolicy& policy) {
  if (member.state() == v1::MEMBER_LEAVING || target.draining) return false;
  if (target.view.presence == Presence::kAlive) return true;
  if (last_copy || target.skip_grace) return false;
  return target.in_maintenance || target.silence < policy.grace;
}

bool MayTakeGroups(const PlacementTarget& target, const MovePolicy& policy) {
  if (target.view.presence != Presence::kAlive || target.draining || target.in_maintenance) {
    return false;
  }
  const uint64_t used = target.total_bytes - std::min(target.total_bytes, target.available_bytes);
  return target.total_bytes == 0 || used / policy.full_percent < target.total_bytes / 100;
}

std::vector<v1::PlacementGroup> PlanMoves(const ClusterShape& shape, const MovePolicy& policy) {
  return Planner(shape, policy).Plan();
}

}  // namespace cairn

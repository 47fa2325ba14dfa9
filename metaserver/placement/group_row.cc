#include "metaserver/placement/group_row.h"

#include <algorithm>

namespace cairn {
namespace {

bool IsActiveAs(const v1::PlacementGroup& group, const v1::Member& member) {
  const v1::Member* now = FindMember(group, ServerId(member.server()));
  return now != nullptr && now->state() == v1::MEMBER_ACTIVE &&
         now->incarnation() == member.incarnation();
}

bool KeepsPrimary(const v1::PlacementGroup& before, const v1::PlacementGroup& next) {
  const v1::Member* primary = PrimaryOf(before);
  const v1::Member* now = PrimaryOf(next);
  return primary != nullptr && now != nullptr && primary->server() == now->server();
}

bool KeepsActive(const v1::PlacementGroup& before, const v1::PlacementGroup& next) {
  return std::all_of(before.members().begin(), before.members().end(), [&](const auto& member) {
    return member.state() != v1::MEMBER_ACTIVE || IsActiveAs(next, member);
  });
}

void RecordActive(v1::PlacementGroup& group) {
  group.set_activated_epoch(group.epoch());
  group.clear_activated();
  for (const v1::Member& member : group.members()) {
    if (member.state() == v1::MEMBER_ACTIVE) *group.add_activated() = member;
  }
}

}  // namespace

const v1::Member* PrimaryOf(const v1::PlacementGroup& group) {
  for (const v1::Member& member : group.members()) {
    if (member.state() == v1::MEMBER_ACTIVE) return &member;
  }
  return nullptr;
}

const v1::Member* FindMember(const v1::PlacementGroup& group, ServerId server) {
  for (const v1::Member& member : group.members()) {
    if (member.server() == server.value) return &member;
  }
  return nullptr;
}

bool IsUnrestarted(const v1::Member& member, const ServerView& view) {
  return member.state() == v1::MEMBER_ACTIVE && member.incarnation() == view.incarnation.value;
}

bool MayServe(const v1::Member& member, const ServerView& view) {
  return IsUnrestarted(member, view) && view.presence != ServerView::Presence::kGone;
}

void Activate(v1::PlacementGroup& group) {
  RecordActive(group);
  auto& members = *group.mutable_members();
  members.erase(
      std::remove_if(members.begin(), members.end(),
                     [](const v1::Member& member) { return member.state() == v1::MEMBER_LEAVING; }),
      members.end());
}

void MakeActive(v1::Member& member, const ServerView& view) {
  member.set_state(v1::MEMBER_ACTIVE);
  member.set_incarnation(view.incarnation.value);
  member.set_boot_id(view.boot_id);
}

void MakeInactive(v1::Member& member, v1::MemberState state) {
  member.set_state(state);
  member.set_incarnation(0);
  member.clear_boot_id();
}

void BeginEpoch(const v1::PlacementGroup& before, v1::PlacementGroup& next) {
  next.set_epoch(before.epoch() + 1);
  next.set_activated_epoch(before.activated_epoch());
  *next.mutable_activated() = before.activated();
  next.set_lost(before.lost() || next.lost());
  next.set_power_lost_epoch(std::max(before.power_lost_epoch(), next.power_lost_epoch()));
  if (IsActivated(before) && KeepsPrimary(before, next) && KeepsActive(before, next)) {
    RecordActive(next);
  }
}

}  // namespace cairn

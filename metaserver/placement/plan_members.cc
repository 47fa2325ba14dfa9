#include "metaserver/placement/plan_members.h"

#include "common/status.h"

namespace cairn {
namespace {

using Presence = ServerView::Presence;

void MakeSyncing(v1::Member& member) {
  member.set_state(v1::MEMBER_SYNCING);
  member.set_incarnation(0);
  member.clear_boot_id();
}

void MakeActive(v1::Member& member, const ServerView& view) {
  member.set_state(v1::MEMBER_ACTIVE);
  member.set_incarnation(view.incarnation.value);
  member.set_boot_id(view.boot_id);
}

bool AnyMayServe(const v1::PlacementGroup& group, const ServerViews& views) {
  for (const v1::Member& member : group.members()) {
    if (MayServe(member, views(ServerId(member.server())))) return true;
  }
  return false;
}

// Has a member that may serve been heard since this one was lost? If not, it may be gone itself,
// and to take this one out would leave everything to it.
bool IsOutlived(const ServerView& lost, const v1::PlacementGroup& group,
                const ServerViews& views) {
  for (const v1::Member& member : group.members()) {
    const ServerView view = views(ServerId(member.server()));
    const bool heard = view.presence == Presence::kAlive &&
                       (lost.presence == Presence::kGone || view.heard >= lost.joined);
    if (heard && MayServe(member, view)) return true;
  }
  return false;
}

// Nobody can serve: which of the last active members does the group start again from (rule C3)?
// One that came back in the same boot has everything acknowledged in its page cache. Members that
// came back from a power cut may each lack what was not synced, so all of them must be there.
std::optional<ServerId> ChooseSource(const v1::PlacementGroup& group, const ServerViews& views) {
  std::optional<ServerId> lowest;
  bool all_back = true;
  for (const v1::Member& member : group.members()) {
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    const ServerId server(member.server());
    const ServerView view = views(server);
    if (view.presence != Presence::kAlive) {
      all_back = false;
      continue;
    }
    if (!view.boot_id.empty() && view.boot_id == member.boot_id()) return server;
    if (!lowest || server < *lowest) lowest = server;
  }
  return all_back ? lowest : std::nullopt;
}

}  // namespace

bool IsUnrestarted(const v1::Member& member, const ServerView& view) {
  return member.state() == v1::MEMBER_ACTIVE && member.incarnation() == view.incarnation.value;
}

bool MayServe(const v1::Member& member, const ServerView& view) {
  return IsUnrestarted(member, view) && view.presence != Presence::kGone;
}

std::optional<v1::PlacementGroup> PlanMembers(const v1::PlacementGroup& group,
                                              const ServerViews& views) {
  std::optional<ServerId> source;
  if (!AnyMayServe(group, views)) {
    source = ChooseSource(group, views);
    if (!source) return std::nullopt;  // the group waits for its members
  }
  v1::PlacementGroup next = group;
  bool changed = false;
  for (v1::Member& member : *next.mutable_members()) {
    const ServerId server(member.server());
    const ServerView view = views(server);
    if (source == server) {
      MakeActive(member, view);
      changed = true;
    } else if (member.state() == v1::MEMBER_ACTIVE && !MayServe(member, view) &&
               (source || IsOutlived(view, group, views))) {
      MakeSyncing(member);
      changed = true;
    }
  }
  if (!changed) return std::nullopt;
  next.set_epoch(group.epoch() + 1);
  return next;
}

v1::PlacementGroup PlanActivation(const v1::PlacementGroup& group, ServerId member,
                                  const ServerView& view) {
  v1::PlacementGroup next = group;
  for (v1::Member& candidate : *next.mutable_members()) {
    if (candidate.server() != member.value) continue;
    CAIRN_CHECK(candidate.state() == v1::MEMBER_SYNCING);
    MakeActive(candidate, view);
    next.set_epoch(group.epoch() + 1);
    return next;
  }
  internal::CheckFailed(__FILE__, __LINE__, "member of the group");
}

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

}  // namespace cairn

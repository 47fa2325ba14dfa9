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

// Who may serve, as far as is known, and who of them has been heard lately.
struct Servers {
  bool any = false;
  bool any_heard = false;
};

Servers FindServers(const v1::PlacementGroup& group, const ServerViews& views) {
  Servers found;
  for (const v1::Member& member : group.members()) {
    const ServerView view = views(ServerId(member.server()));
    if (!MayServe(member, view)) continue;
    found.any = true;
    found.any_heard = found.any_heard || view.presence == Presence::kAlive;
  }
  return found;
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
  const Servers servers = FindServers(group, views);
  std::optional<ServerId> source;
  if (!servers.any) {
    source = ChooseSource(group, views);
    if (!source) return std::nullopt;  // the group waits for its members
  } else if (!servers.any_heard) {
    // Whoever is taken out now would leave everything to members that may be gone themselves. They
    // are heard in a moment, or the group starts again from one that is there.
    return std::nullopt;
  }
  v1::PlacementGroup next = group;
  bool changed = false;
  for (v1::Member& member : *next.mutable_members()) {
    const ServerId server(member.server());
    const ServerView view = views(server);
    if (source == server) {
      MakeActive(member, view);
      changed = true;
    } else if (member.state() == v1::MEMBER_ACTIVE && !MayServe(member, view)) {
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

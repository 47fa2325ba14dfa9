#include "metaserver/placement/plan_members.h"

#include <algorithm>

#include "common/status.h"

namespace cairn {
namespace {

using Presence = ServerView::Presence;

bool AnyMayServe(const v1::PlacementGroup& group, const ServerViews& views) {
  return std::any_of(group.members().begin(), group.members().end(), [&](const auto& member) {
    return MayServe(member, views(ServerId(member.server())));
  });
}

struct Source {
  ServerId server;
  bool lost_power = false;  // what it had not synced may be gone
};

// Nobody can serve: which of those that were active in the last activated epoch does the group
// start again from (rule C3)? One that was never restarted, or came back in the same boot, has
// everything acknowledged in its page cache. Members that came back from a power cut may each lack
// what was not synced, so all of them must be there.
std::optional<Source> ChooseSource(const v1::PlacementGroup& group, const ServerViews& views) {
  std::optional<ServerId> same_boot;
  std::optional<ServerId> lowest;
  bool all_back = true;
  for (const v1::Member& member : group.activated()) {
    const ServerId server(member.server());
    const ServerView view = views(server);
    if (view.presence != Presence::kAlive) {
      all_back = false;
      continue;
    }
    if (IsUnrestarted(member, view)) return Source{server};
    if (!same_boot && !view.boot_id.empty() && view.boot_id == member.boot_id()) same_boot = server;
    if (!lowest || server < *lowest) lowest = server;
  }
  if (same_boot) return Source{*same_boot};
  if (!all_back || !lowest) return std::nullopt;
  return Source{*lowest, true};
}

// The others serve nothing until they have been made equal to it.
v1::PlacementGroup StartFrom(const v1::PlacementGroup& group, const Source& source,
                             const ServerView& view) {
  v1::PlacementGroup next = group;
  for (v1::Member& member : *next.mutable_members()) {
    if (member.server() == source.server.value) {
      MakeActive(member, view);
    } else if (member.state() == v1::MEMBER_ACTIVE) {
      MakeInactive(member, v1::MEMBER_SYNCING);
    }
  }
  BeginEpoch(group, next);
  if (source.lost_power) next.set_power_lost_epoch(next.epoch());
  return next;
}

}  // namespace

std::optional<v1::PlacementGroup> PlanMembers(const v1::PlacementGroup& group,
                                              const ServerViews& views) {
  if (!AnyMayServe(group, views)) {
    const std::optional<Source> source = ChooseSource(group, views);
    if (!source) return std::nullopt;  // the group waits for its members
    return StartFrom(group, *source, views(source->server));
  }
  v1::PlacementGroup next = group;
  bool changed = false;
  for (v1::Member& member : *next.mutable_members()) {
    if (member.state() != v1::MEMBER_ACTIVE) continue;
    if (MayServe(member, views(ServerId(member.server())))) continue;
    MakeInactive(member, v1::MEMBER_SYNCING);
    changed = true;
  }
  if (!changed) return std::nullopt;
  BeginEpoch(group, next);
  return next;
}

v1::PlacementGroup PlanActivation(const v1::PlacementGroup& group, ServerId member,
                                  const ServerView& view) {
  v1::PlacementGroup next = group;
  for (v1::Member& candidate : *next.mutable_members()) {
    if (candidate.server() != member.value) continue;
    CAIRN_CHECK(candidate.state() == v1::MEMBER_SYNCING);
    MakeActive(candidate, view);
    BeginEpoch(group, next);
    return next;
  }
  internal::CheckFailed(__FILE__, __LINE__, "member of the group");
}

}  // namespace cairn

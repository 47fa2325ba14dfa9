// What becomes of a placement group when servers fall silent, restart or come back. The truth table
// is in README.md beside this file. Pure: the same input gives the same plan (rules C2, C3).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// How a server looks from the metaserver. `incarnation` and `boot_id` are those of its latest join.
struct ServerView {
  enum class Presence {
    kAlive,  // heard from lately
    kQuiet,  // not heard from, but a lease it was given may still run
    kGone,   // silent for so long that every lease it had has surely ended (rule C1)
  };
  Presence presence = Presence::kQuiet;
  Incarnation incarnation{0};
  std::string boot_id;
  BootTime joined{};  // when the metaserver heard of this incarnation first
  BootTime heard{};   // when it heard of the server last
};

using ServerViews = std::function<ServerView(ServerId)>;

// The group's next state, with its epoch one higher; nullopt when it stays as it is. Planning the
// result again with the same views gives nullopt.
std::optional<v1::PlacementGroup> PlanMembers(const v1::PlacementGroup& group,
                                              const ServerViews& views);

// The group with `member` active as this incarnation (rule C4: its data is on disk); epoch + 1.
// REQUIRES: `member` is a syncing member of the group.
v1::PlacementGroup PlanActivation(const v1::PlacementGroup& group, ServerId member,
                                  const ServerView& view);

// The first active member; nullptr when there is none.
const v1::Member* PrimaryOf(const v1::PlacementGroup& group);
const v1::Member* FindMember(const v1::PlacementGroup& group, ServerId server);
// Active in the group, and still the process that became active (rule C2).
bool IsUnrestarted(const v1::Member& member, const ServerView& view);
// Active, un-restarted and not gone: it holds everything and may serve.
bool MayServe(const v1::Member& member, const ServerView& view);

}  // namespace cairn

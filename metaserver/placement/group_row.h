// What can be read from one placement group's row, and the small steps every plan is made of. Pure.
#pragma once

#include <functional>
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
};

using ServerViews = std::function<ServerView(ServerId)>;

// The first active member; nullptr when there is none.
const v1::Member* PrimaryOf(const v1::PlacementGroup& group);
const v1::Member* FindMember(const v1::PlacementGroup& group, ServerId server);
// Active in the group, and still the process that became active (rule C2).
bool IsUnrestarted(const v1::Member& member, const ServerView& view);
// Active, un-restarted and not gone: it holds everything and may serve.
bool MayServe(const v1::Member& member, const ServerView& view);

// Whether the primary of this epoch has been recorded as having begun to serve (rule C3).
inline bool IsActivated(const v1::PlacementGroup& group) {
  return group.activated_epoch() == group.epoch();
}
// Records the group's epoch as activated; its leaving members are out of it.
void Activate(v1::PlacementGroup& group);

void MakeActive(v1::Member& member, const ServerView& view);
// In `state`, which is not active: it loses its incarnation and boot id.
void MakeInactive(v1::Member& member, v1::MemberState state);

// `next` becomes the epoch after `before`, of which it takes what was activated. It counts as
// activated at once if `before` was, the same primary goes on and nobody active is lost: whatever
// that primary answers, all of `before` have. A loss of power that `before` knows of stays known.
void BeginEpoch(const v1::PlacementGroup& before, v1::PlacementGroup& next);

}  // namespace cairn

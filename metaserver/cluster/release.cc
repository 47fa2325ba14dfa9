#include "metaserver/cluster/release.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "metaserver/placement/group_row.h"
#include "metaserver/placement/plan_loss.h"

namespace cairn {
namespace {

// The largest that any server said last of each group: its primary may be the one that is gone.
std::map<PgId, uint64_t> LastKnownBytes(const MapSnapshot& map, const ServerRegistry& registry) {
  std::map<PgId, uint64_t> bytes;
  for (const auto& [id, record] : map.servers) {
    for (const v1::GroupUsage& usage : registry.Counters(id).usage) {
      uint64_t& known = bytes[PgId(usage.group())];
      known = std::max(known, usage.bytes());
    }
  }
  return bytes;
}

// Others have everything, and no epoch is under way that it might still be needed for.
bool CanDoWithout(const v1::PlacementGroup& group, ServerId server) {
  const v1::Member* member = FindMember(group, server);
  return member != nullptr && member->state() == v1::MEMBER_SYNCING && IsActivated(group) &&
         PrimaryOf(group) != nullptr;
}

}  // namespace

std::string NeededGroups::Text(ServerId server) const {
  if (groups == 0) return fmt::format("server {} has the only copy of nothing", server);
  return fmt::format(
      "server {} has copies of {} placement groups ({:.1f} MiB, as last known) that are or may be "
      "the last: bring it back. If it is gone for good, --give-up {} gives up what it alone had",
      server, groups, static_cast<double>(bytes) / (1 << 20), groups);
}

Release PlanRelease(const MapSnapshot& map, const ServerRegistry& registry, ServerId server) {
  Release release;
  const std::map<PgId, uint64_t> bytes = LastKnownBytes(map, registry);
  for (const auto& [id, group] : map.groups) {
    std::optional<LossPlan> plan = PlanLoss(group, server);
    if (!plan) continue;
    if (group.lost()) continue;  // nobody needs what it has of it
    if (CanDoWithout(group, server)) {
      *release.command.mutable_update_groups()->add_groups() = std::move(plan->next);
      continue;
    }
    ++release.needed.groups;
    const auto known = bytes.find(id);
    if (known != bytes.end()) release.needed.bytes += known->second;
  }
  return release;
}

}  // namespace cairn

// How far the cluster is from having all copies: what is missing, what is at risk, and how long it
// will take. Pure but for the tracker's memory of what it saw before.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cairn/v1/command.pb.h"
#include "common/clock.h"
#include "metaserver/cluster/repair_forecast.h"
#include "metaserver/placement/plan_moves.h"

namespace cairn {

// One look at the whole cluster.
struct RepairLook {
  uint32_t groups_left = 0;      // that lack a copy, or have one on a server that is drained
  uint32_t groups_reduced = 0;   // of those, with fewer copies than wanted
  BytesBySource left;            // to be copied, as far as is known
  std::set<ServerId> throttled;  // sources that leave room for clients
  uint64_t reduced_bytes = 0;    // of data with fewer copies than wanted
  uint64_t last_copy_bytes = 0;  // of data with one copy left of several: lost if one more fails
  std::vector<ServerId> missed;  // servers that should keep a copy and do not
  // Nobody has said yet how large some of these groups are: a new leader has just begun.
  bool sizes_are_known = true;

  uint64_t left_bytes() const;
};
RepairLook LookAtRepair(const ClusterShape& shape);

// Every group that lacks a copy, fewest first, and why nothing is copied if nothing is.
std::vector<v1::GroupRepair> ListRepairs(const ClusterShape& shape, const MovePolicy& policy,
                                         size_t limit);

// Keeps the record of one incident: from the first copy that is missing until all are back.
// Confined to one thread.
class RepairTracker {
 public:
  // What was recorded last, by whichever leader.
  void Load(const std::optional<v1::RepairRecord>& record);
  // What is to be recorded now; nothing when nothing changed.
  std::optional<v1::NoteRepairCommand> Next(const RepairLook& look, BootTime now, WallTime wall);

 private:
  bool under_way() const { return record_.has_started() && !record_.has_ended(); }
  v1::NoteRepairCommand Begin(const RepairLook& look, BootTime now, WallTime wall);
  v1::NoteRepairCommand End(WallTime wall);
  void Advance(const RepairLook& look, BootTime now);
  void CountBytes(const RepairLook& look, BootTime now);

  v1::RepairRecord record_;
  uint64_t left_bytes_ = 0;
  bool only_moves_ = false;  // no group was reduced: copies move from servers that are drained
  RepairForecast forecast_;
};

}  // namespace cairn

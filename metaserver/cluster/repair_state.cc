#include "metaserver/cluster/repair_state.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_join.h"
#include "metaserver/placement/explain_wait.h"
#include "metaserver/placement/group_row.h"

namespace cairn {
namespace {

v1::Time TimeOf(WallTime wall) {
  v1::Time time;
  time.set_seconds(wall.seconds);
  time.set_nanoseconds(wall.nanoseconds);
  return time;
}

std::string BytesText(uint64_t bytes) {
  constexpr double kMebi = 1024.0 * 1024.0;
  const double mebibytes = static_cast<double>(bytes) / kMebi;
  return mebibytes < 1024 ? fmt::format("{:.1f} MiB", mebibytes)
                          : fmt::format("{:.1f} GiB", mebibytes / 1024);
}

std::string ServersText(const google::protobuf::RepeatedField<uint32_t>& servers) {
  return fmt::format("chunkserver{} {}", servers.size() == 1 ? "" : "s",
                     absl::StrJoin(servers, ", "));
}

// What is left to be copied to give the group its missing copies.
uint64_t LeftBytes(const ClusterShape& shape, const GroupCopies& copies) {
  uint64_t left = 0;
  uint32_t missing = copies.wanted - std::min(copies.wanted, copies.staying);
  for (const v1::Member& member : copies.group->members()) {
    const auto under_way = shape.copies.find({PgId(copies.group->id()), ServerId(member.server())});
    if (missing == 0 || member.state() != v1::MEMBER_SYNCING) continue;
    if (under_way == shape.copies.end()) continue;
    const CopyState& copy = under_way->second;
    left += copy.total_bytes - std::min(copy.total_bytes, copy.done_bytes);
    --missing;
  }
  return left + missing * copies.bytes;
}

bool IsThrottled(const ClusterShape& shape, const v1::PlacementGroup& group) {
  return std::any_of(group.members().begin(), group.members().end(), [&](const auto& member) {
    const auto copy = shape.copies.find({PgId(group.id()), ServerId(member.server())});
    return copy != shape.copies.end() && copy->second.throttled;
  });
}

void AddMissed(const ClusterShape& shape, const v1::PlacementGroup& group,
               std::set<ServerId>& missed) {
  for (const v1::Member& member : group.members()) {
    const auto target = shape.targets.find(ServerId(member.server()));
    if (target == shape.targets.end()) continue;
    const bool gone = member.state() != v1::MEMBER_ACTIVE &&
                      target->second.view.presence != ServerView::Presence::kAlive;
    if (gone || target->second.draining) missed.insert(target->first);
  }
}

}  // namespace

uint64_t RepairLook::left_bytes() const {
  uint64_t sum = 0;
  for (const auto& [source, bytes] : left) sum += bytes;
  return sum;
}

RepairLook LookAtRepair(const ClusterShape& shape) {
  RepairLook look;
  std::set<ServerId> missed;
  for (const auto& [id, group] : *shape.groups) {
    const GroupCopies copies = CountCopies(shape, group);
    if (copies.staying >= copies.wanted) continue;
    ++look.groups_left;
    const v1::Member* primary = PrimaryOf(group);
    const ServerId source(primary == nullptr ? 0 : primary->server());
    look.left[source] += LeftBytes(shape, copies);
    if (IsThrottled(shape, group)) look.throttled.insert(source);
    if (copies.serving < copies.wanted) {
      ++look.groups_reduced;
      look.reduced_bytes += copies.bytes;
    }
    const bool unknown = copies.serving > 0 && !shape.sizes.contains(id);
    look.sizes_are_known = look.sizes_are_known && !unknown;
    if (IsLastCopy(copies.serving, copies.wanted)) look.last_copy_bytes += copies.bytes;
    AddMissed(shape, group, missed);
  }
  look.missed.assign(missed.begin(), missed.end());
  return look;
}

std::vector<v1::GroupRepair> ListRepairs(const ClusterShape& shape, const MovePolicy& policy,
                                         size_t limit) {
  std::vector<v1::GroupRepair> repairs;
  for (const auto& [id, group] : *shape.groups) {
    const GroupCopies copies = CountCopies(shape, group);
    if (copies.staying >= copies.wanted) continue;
    v1::GroupRepair& repair = repairs.emplace_back();
    repair.set_group(id.value);
    repair.set_active(copies.serving);
    repair.set_wanted(copies.wanted);
    repair.set_bytes(copies.bytes);
    for (const v1::Member& member : group.members()) {
      const auto copy = shape.copies.find({id, ServerId(member.server())});
      if (copy == shape.copies.end() || member.state() != v1::MEMBER_SYNCING) continue;
      repair.set_member(member.server());
      repair.set_total_bytes(copy->second.total_bytes);
      repair.set_done_bytes(copy->second.done_bytes);
    }
    if (repair.member() == 0) repair.set_waits(ExplainWait(shape, group, policy));
  }
  std::stable_sort(repairs.begin(), repairs.end(),
                   [](const auto& a, const auto& b) { return a.active() < b.active(); });
  if (repairs.size() > limit) repairs.resize(limit);
  return repairs;
}

void RepairTracker::Load(const std::optional<v1::RepairRecord>& record) {
  record_ = record.value_or(v1::RepairRecord());
  left_bytes_ = record_.total_bytes() - std::min(record_.total_bytes(), record_.done_bytes());
  only_moves_ = false;
  forecast_.Forget();
}

std::optional<v1::NoteRepairCommand> RepairTracker::Next(const RepairLook& look, BootTime now,
                                                         WallTime wall) {
  if (!under_way() && look.groups_left == 0) return std::nullopt;
  if (!under_way()) return Begin(look, now, wall);
  const v1::RepairRecord before = record_;
  Advance(look, now);
  if (look.groups_left == 0) return End(wall);
  if (before.SerializeAsString() == record_.SerializeAsString()) return std::nullopt;
  v1::NoteRepairCommand note;
  *note.mutable_repair() = record_;
  return note;
}

v1::NoteRepairCommand RepairTracker::Begin(const RepairLook& look, BootTime now, WallTime wall) {
  Load(std::nullopt);
  *record_.mutable_started() = TimeOf(wall);
  only_moves_ = true;
  Advance(look, now);
  v1::NoteRepairCommand note;
  *note.mutable_repair() = record_;
  v1::EventRecord& event = *note.add_events();
  event.set_severity(look.last_copy_bytes > 0 ? "error" : only_moves_ ? "info" : "warning");
  event.set_code(only_moves_ ? "COPIES_MOVE" : "COPIES_MISSING");
  event.set_subject(ServersText(record_.servers()));
  event.set_text(fmt::format("{} placement groups {}, {} to be copied", record_.groups_left(),
                             only_moves_ ? "move a copy" : "lack a copy",
                             BytesText(look.left_bytes())));
  return note;
}

v1::NoteRepairCommand RepairTracker::End(WallTime wall) {
  *record_.mutable_ended() = TimeOf(wall);
  record_.set_seconds_left(0);
  record_.set_bytes_per_second(0);
  v1::NoteRepairCommand note;
  *note.mutable_repair() = record_;
  v1::EventRecord& event = *note.add_events();
  event.set_severity("info");
  event.set_code(only_moves_ ? "COPIES_MOVED" : "REPAIRED");
  event.set_subject(ServersText(record_.servers()));
  const int64_t seconds =
      std::max<int64_t>(0, record_.ended().seconds() - record_.started().seconds());
  event.set_text(
      fmt::format("{}: {} placement groups, {} brought up to date in {} s",
                  only_moves_ ? "all copies are where they should be" : "all copies are back",
                  record_.groups_total(), BytesText(record_.done_bytes()), seconds));
  return note;
}

void RepairTracker::Advance(const RepairLook& look, BootTime now) {
  only_moves_ = only_moves_ && look.groups_reduced == 0;
  if (look.sizes_are_known) CountBytes(look, now);
  record_.set_groups_left(look.groups_left);
  record_.set_groups_total(std::max(record_.groups_total(), look.groups_left));
  for (const ServerId server : look.missed) {
    const auto& known = record_.servers();
    if (std::find(known.begin(), known.end(), server.value) == known.end()) {
      record_.add_servers(server.value);
    }
  }
}

void RepairTracker::CountBytes(const RepairLook& look, BootTime now) {
  const uint64_t left = look.left_bytes();
  if (left > left_bytes_) record_.set_total_bytes(record_.total_bytes() + left - left_bytes_);
  left_bytes_ = left;
  record_.set_done_bytes(record_.total_bytes() - std::min(record_.total_bytes(), left_bytes_));
  record_.set_reduced_bytes(look.reduced_bytes);
  record_.set_last_copy_bytes(look.last_copy_bytes);
  forecast_.Note(now, look.left, look.throttled);
  record_.set_bytes_per_second(forecast_.bytes_per_second());
  record_.set_seconds_left(forecast_.seconds_left());
}

}  // namespace cairn

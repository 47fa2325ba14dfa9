#include "metaserver/cluster/health.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/disk_room.h"
#include "metaserver/cluster/chunkserver_disks.h"
#include "metaserver/placement/explain_wait.h"

namespace cairn {
namespace {

using Presence = ServerView::Presence;

v1::HealthItem MakeItem(const char* code, const char* severity, std::string subject,
                        std::string text) {
  v1::HealthItem item;
  item.set_code(code);
  item.set_severity(severity);
  item.set_subject(std::move(subject));
  item.set_text(std::move(text));
  return item;
}

ServerHealth HealthOf(const ServersHealth& servers, ServerId server) {
  const auto found = servers.find(server);
  return found == servers.end() ? ServerHealth() : found->second;
}

// Why groups are short of copies: which servers lack in them, and how.
struct Shortage {
  int groups = 0;
  std::map<ServerId, int> down;     // server -> groups that miss it
  std::map<ServerId, int> syncing;  // server -> groups it catches up in
};

struct GroupCounts {
  Shortage reduced;
  Shortage unavailable;
  int last_copy = 0;
  int lost = 0;
};

void Blame(const v1::PlacementGroup& group, const ServersHealth& servers, Shortage& shortage) {
  ++shortage.groups;
  for (const v1::Member& member : group.members()) {
    const ServerId server(member.server());
    const ServerView view = HealthOf(servers, server).view;
    if (MayServe(member, view)) continue;
    (view.presence == Presence::kAlive ? shortage.syncing : shortage.down)[server]++;
  }
}

std::string Reasons(const Shortage& shortage, const ChunkserverDisks& disks) {
  std::vector<std::string> reasons;
  for (const auto& [server, groups] : shortage.down) {
    reasons.push_back(fmt::format("{} is away ({} groups)", disks.NameOf(server), groups));
  }
  for (const auto& [server, groups] : shortage.syncing) {
    reasons.push_back(fmt::format("{} is catching up ({} groups)", disks.NameOf(server), groups));
  }
  return absl::StrJoin(reasons, ", ");
}

// Why copies that are missing are not being made, the most frequent reasons first.
std::vector<std::string> Waits(const MapSnapshot& map, const ServersHealth& servers,
                               const ClusterShape& shape) {
  constexpr size_t kMostReasons = 3;
  std::map<std::string, int> counts;
  for (const auto& [id, group] : map.groups) {
    const GroupCondition condition = ConditionOf(group, map.CopiesOf(group), servers);
    if (condition != GroupCondition::kReduced) continue;
    const std::string why = ExplainWait(shape, group, MovePolicy());
    if (!why.empty()) ++counts[why];
  }
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [why, count] : counts) order.emplace_back(-count, why);
  std::sort(order.begin(), order.end());
  std::vector<std::string> waits;
  for (size_t i = 0; i < std::min(order.size(), kMostReasons); ++i) {
    waits.push_back(fmt::format("{} ({} groups)", order[i].second, -order[i].first));
  }
  return waits;
}

GroupCounts CountGroups(const MapSnapshot& map, const ServersHealth& servers) {
  GroupCounts counts;
  for (const auto& [id, group] : map.groups) {
    if (group.lost()) {
      ++counts.lost;
      continue;
    }
    const uint32_t wanted = map.CopiesOf(group);
    uint32_t serving = 0;
    const GroupCondition condition = ConditionOf(group, wanted, servers, &serving);
    if (condition == GroupCondition::kUnavailable) Blame(group, servers, counts.unavailable);
    if (condition == GroupCondition::kReduced) Blame(group, servers, counts.reduced);
    if (serving == 1 && IsLastCopy(serving, wanted)) ++counts.last_copy;
  }
  return counts;
}

void DiagnoseGroups(const MapSnapshot& map, const ServersHealth& servers, const ClusterShape& shape,
                    const ChunkserverDisks& disks, std::vector<v1::HealthItem>& items) {
  const GroupCounts counts = CountGroups(map, servers);
  if (counts.lost > 0) {
    items.push_back(
        MakeItem("LOST", "error", fmt::format("{} placement groups", counts.lost),
                 "given up with a server that was removed: 'cairn fsck' lists the files"));
  }
  if (counts.unavailable.groups > 0) {
    items.push_back(MakeItem(
        "LOST", "error", fmt::format("{} placement groups", counts.unavailable.groups),
        fmt::format("data cannot be reached now: no copy is up: {}",
                    Reasons(counts.unavailable, disks))));
  }
  if (counts.last_copy > 0) {
    items.push_back(MakeItem("LAST_COPY", "error",
                             fmt::format("{} placement groups", counts.last_copy),
                             "one copy is left: one more failure and data cannot be reached"));
  }
  if (counts.reduced.groups > 0) {
    std::vector<std::string> why = Waits(map, servers, shape);
    // Nobody is to blame where a member was let go of and no other was found yet.
    const std::string blamed = Reasons(counts.reduced, disks);
    if (!blamed.empty()) why.insert(why.begin(), blamed);
    items.push_back(MakeItem("UNDER_REPLICATED", "warning",
                             fmt::format("{} placement groups", counts.reduced.groups),
                             "fewer copies than wanted: " + absl::StrJoin(why, "; ")));
  }
}

void DiagnoseDamage(const ServersHealth& servers, const ChunkserverDisks& disks,
                    std::vector<v1::HealthItem>& items) {
  std::map<std::pair<uint64_t, uint32_t>, ServerId> damaged;
  for (const auto& [server, health] : servers) {
    for (const v1::LostChunk& chunk : health.counters.damaged) {
      damaged.emplace(std::pair(chunk.inode(), chunk.index()), server);
    }
  }
  for (const auto& [chunk, server] : damaged) {
    items.push_back(MakeItem("LOST", "error",
                             fmt::format("inode {} chunk {}", chunk.first, chunk.second),
                             fmt::format("no good copy found, says {}", disks.NameOf(server))));
  }
}

void DiagnoseRoom(const std::string& name, const ServerCounters& counters,
                  std::vector<v1::HealthItem>& items) {
  const uint64_t total = counters.total_bytes;
  const uint64_t available = std::min(counters.available_bytes, total);
  if (!IsNearFull(total, available)) return;
  const std::string used = fmt::format("{} MiB of the disk are left", available >> 20);
  if (IsFull(total, available)) {
    items.push_back(MakeItem("FULL", "error", name,
                             used + ": writes to its placement groups answer ENOSPC"));
  } else {
    items.push_back(MakeItem("NEAR_FULL", "warning", name,
                             used + ": mounts write through, which is slow"));
  }
}

int64_t SecondsOf(Duration silence) {
  return std::chrono::duration_cast<std::chrono::seconds>(silence).count();
}

// A process is told as one when nothing of it is left; else the disks of it that are away are.
void DiagnoseAway(const MapSnapshot& map, const ServersHealth& servers,
                  const ChunkserverDisks& disks, std::vector<v1::HealthItem>& items) {
  for (const auto& [chunkserver, members] : disks.all()) {
    std::vector<ServerId> gone;
    Duration silence = Duration::max();
    for (const ServerId disk : members) {
      const ServerHealth health = HealthOf(servers, disk);
      if (health.view.presence != Presence::kGone) continue;
      gone.push_back(disk);
      silence = std::min(silence, health.silence);
    }
    if (gone.size() == members.size()) {
      const std::string with = gone.size() == 1 ? "" : fmt::format("{} disks, ", gone.size());
      items.push_back(MakeItem(
          "CHUNKSERVER_DOWN", "warning", fmt::format("chunkserver {}", chunkserver),
          fmt::format("on {}: {}silent for {} s", map.servers.at(gone.front()).host(), with,
                      SecondsOf(silence))));
      continue;
    }
    for (const ServerId disk : gone) {
      items.push_back(MakeItem(
          "DISK_DOWN", "warning", disks.NameOf(disk),
          fmt::format("on {}: silent for {} s, while others of its process are there",
                      map.servers.at(disk).host(), SecondsOf(HealthOf(servers, disk).silence))));
    }
  }
}

void DiagnoseDisk(const std::string& name, const ServerCounters& counters,
                  std::vector<v1::HealthItem>& items) {
  if (counters.checksum_errors > 0) {
    items.push_back(MakeItem("CHECKSUM_ERROR", "warning", name,
                             fmt::format("{} blocks did not match their checksum since its start",
                                         counters.checksum_errors)));
  }
  DiagnoseRoom(name, counters, items);
}

}  // namespace

ServersHealth LookAtServers(const MapSnapshot& map, const ServerRegistry& registry) {
  ServersHealth servers;
  for (const auto& [id, record] : map.servers) {
    ServerHealth health{registry.View(record), registry.Silence(id), registry.Counters(id)};
    // After a start the monitor is patient (rule M8); who looks wants to know who is there.
    if (health.silence > timing::kMemberRemoved) health.view.presence = Presence::kGone;
    servers.emplace(id, std::move(health));
  }
  return servers;
}

GroupCondition ConditionOf(const v1::PlacementGroup& group, uint32_t wanted,
                           const ServersHealth& servers, uint32_t* serving) {
  uint32_t count = 0;
  for (const v1::Member& member : group.members()) {
    if (MayServe(member, HealthOf(servers, ServerId(member.server())).view)) ++count;
  }
  if (serving != nullptr) *serving = count;
  if (count == 0) return GroupCondition::kUnavailable;
  return count >= wanted ? GroupCondition::kFull : GroupCondition::kReduced;
}

std::vector<v1::HealthItem> DiagnoseCluster(const MapSnapshot& map, const ServersHealth& servers,
                                            const ClusterShape& shape) {
  std::vector<v1::HealthItem> items;
  const ChunkserverDisks disks(map);
  DiagnoseGroups(map, servers, shape, disks, items);
  DiagnoseDamage(servers, disks, items);
  DiagnoseAway(map, servers, disks, items);
  for (const auto& [server, record] : map.servers) {
    DiagnoseDisk(disks.NameOf(server), HealthOf(servers, server).counters, items);
  }
  return items;
}

}  // namespace cairn

#include "cli/disk_table.h"

#include <utility>

#include "cli/chunkservers.h"
#include "common/clock.h"
#include "common/disk_room.h"

namespace cairn {

namespace {
struct Filling {
  std::string word = "?";  // OK, NEAR_FULL, FULL
  std::string used = "?";
  Colour colour = Colour::kNone;
};

// A size of 0 has not been told yet.
Filling FillingOf(const v1::ChunkserverStatus& disk, bool led) {
  if (!led || disk.total_bytes() == 0) return {};
  const std::string used = fmt::format("{} %", UsedPercent(disk));
  const uint64_t available = disk.total_bytes() - UsedBytes(disk);
  if (IsFull(disk.total_bytes(), available)) return {"FULL", used, Colour::kBad};
  if (IsNearFull(disk.total_bytes(), available)) return {"NEAR_FULL", used, Colour::kWarning};
  return {"OK", used, Colour::kNone};
}

uint32_t GroupsOn(const v1::ChunkserverStatus& disk) {
  return disk.active_groups() + disk.syncing_groups();
}

std::string DiskJson(const v1::ChunkserverStatus& disk, bool led) {
  return fmt::format(
      "{{\"server\":{},\"chunkserver\":{},\"host\":{},\"rack\":{},\"up\":{},\"server_state\":{},"
      "\"total_bytes\":\"{}\",\"used_bytes\":\"{}\",\"available_bytes\":\"{}\",\"state\":{},"
      "\"groups\":{},\"bad_blocks\":\"{}\",\"damaged_chunks\":{},\"uuid\":{}}}",
      disk.server(), ChunkserverOf(disk), QuoteJson(disk.host()), QuoteJson(disk.rack()),
      led && disk.up(), QuoteJson(v1::ServerState_Name(disk.state())), disk.total_bytes(),
      UsedBytes(disk), disk.available_bytes(), QuoteJson(FillingOf(disk, led).word),
      GroupsOn(disk), disk.checksum_errors(), disk.damaged_chunks(), QuoteJson(disk.disk_uuid()));
}
}  // namespace

void PrintDisks(const std::vector<v1::ChunkserverStatus>& disks, bool led,
                const Console& console) {
  const WallTime now = SystemClock().WallNow();
  Table table({"DISK", "SERVER", "STATE", "HOST", "RACK", "SIZE", "FREE", "USED", "FILL", "GROUPS",
               "BAD BLOCKS", "DAMAGED", "UUID"});
  const auto heard = [led](std::string text) { return led ? std::move(text) : "?"; };
  for (const v1::ChunkserverStatus& disk : disks) {
    const Filling filling = FillingOf(disk, led);
    const bool sized = filling.word != "?";
    const Colour state = led ? ServerColour(disk, now) : Colour::kNone;
    table.Add({std::to_string(disk.server()), std::to_string(ChunkserverOf(disk)),
               heard(ServerStateText(disk, now)), disk.host(),
               disk.rack().empty() ? "-" : disk.rack(),
               sized ? FormatBytes(disk.total_bytes()) : "?",
               sized ? FormatBytes(disk.available_bytes()) : "?", filling.used, filling.word,
               std::to_string(GroupsOn(disk)), heard(std::to_string(disk.checksum_errors())),
               heard(std::to_string(disk.damaged_chunks())), disk.disk_uuid()},
              state == Colour::kNone ? filling.colour : state);
  }
  table.Print(console);
}

std::string DisksJson(const std::vector<v1::ChunkserverStatus>& disks, bool led) {
  std::string list;
  for (const auto& disk : disks) list += (list.empty() ? "" : ",") + DiskJson(disk, led);
  return "[" + list + "]";
}

}  // namespace cairn

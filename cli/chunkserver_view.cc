#include "cli/chunkserver_view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cli/chunkservers.h"

namespace cairn {

namespace {
void Add(v1::ChunkserverStatus& whole, const v1::ChunkserverStatus& disk) {
  whole.set_up(whole.up() && disk.up());
  whole.set_silent_ms(std::min(whole.silent_ms(), disk.silent_ms()));
  whole.set_total_bytes(whole.total_bytes() + disk.total_bytes());
  whole.set_available_bytes(whole.available_bytes() + disk.available_bytes());
  whole.set_checksum_errors(whole.checksum_errors() + disk.checksum_errors());
  whole.set_adopted_blocks(whole.adopted_blocks() + disk.adopted_blocks());
  whole.set_active_groups(whole.active_groups() + disk.active_groups());
  whole.set_syncing_groups(whole.syncing_groups() + disk.syncing_groups());
  whole.set_primary_groups(whole.primary_groups() + disk.primary_groups());
  whole.set_damaged_chunks(whole.damaged_chunks() + disk.damaged_chunks());
}

bool AreAlike(const std::vector<v1::ChunkserverStatus>& disks) {
  return std::all_of(disks.begin(), disks.end(), [&](const v1::ChunkserverStatus& disk) {
    return disk.up() == disks.front().up() && disk.state() == disks.front().state() &&
           disk.maintenance_until().seconds() == disks.front().maintenance_until().seconds();
  });
}

int Severity(Colour colour) {
  return colour == Colour::kBad ? 2 : colour == Colour::kWarning ? 1 : 0;
}
}  // namespace

ChunkserverView MakeView(std::vector<v1::ChunkserverStatus> disks) {
  ChunkserverView view;
  view.whole = disks.front();
  view.whole.set_server(ChunkserverOf(disks.front()));
  for (size_t i = 1; i < disks.size(); ++i) Add(view.whole, disks[i]);
  // What belongs to one disk alone.
  if (disks.size() > 1) {
    view.whole.clear_disk_uuid();
    view.whole.clear_scrub();
  }
  view.disks = std::move(disks);
  return view;
}

std::vector<ChunkserverView> ViewChunkservers(const v1::GetStatusResponse& status) {
  std::map<uint32_t, std::vector<v1::ChunkserverStatus>> chunkservers;
  for (const auto& disk : status.chunkservers()) {
    chunkservers[ChunkserverOf(disk)].push_back(disk);
  }
  std::vector<ChunkserverView> views;
  for (auto& [id, disks] : chunkservers) views.push_back(MakeView(std::move(disks)));
  return views;
}

std::string StateText(const ChunkserverView& view, WallTime now) {
  if (AreAlike(view.disks)) return ServerStateText(view.whole, now);
  size_t up = 0;
  size_t draining = 0;
  size_t in_maintenance = 0;
  for (const v1::ChunkserverStatus& disk : view.disks) {
    up += disk.up() ? 1 : 0;
    draining += disk.state() == v1::SERVER_DRAINING ? 1 : 0;
    in_maintenance += InMaintenance(disk, now) ? 1 : 0;
  }
  std::string text = fmt::format("{} of {} up", up, view.disks.size());
  if (draining > 0) text += fmt::format(", {} draining", draining);
  if (in_maintenance > 0) text += fmt::format(", {} in maintenance", in_maintenance);
  return text;
}

Colour ColourOf(const ChunkserverView& view, WallTime now) {
  Colour worst = Colour::kNone;
  for (const v1::ChunkserverStatus& disk : view.disks) {
    const Colour colour = ServerColour(disk, now);
    if (Severity(colour) > Severity(worst)) worst = colour;
  }
  return worst;
}

}  // namespace cairn

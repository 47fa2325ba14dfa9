#include "cli/chunkserver_view.h"
#include "cli/chunkservers.h"
#include "cli/disk_table.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct ShowOptions {
  ClusterOptions cluster;
  DiskTarget server;
};

std::string DiskText(const v1::ChunkserverStatus& server) {
  if (server.total_bytes() == 0) return "not known";
  return fmt::format("{} of {} used ({} %)", FormatBytes(UsedBytes(server)),
                     FormatBytes(server.total_bytes()), UsedPercent(server));
}

void PrintServer(const ChunkserverView& view, bool led, const Console& console) {
  const v1::ChunkserverStatus& server = view.whole;
  const WallTime now = SystemClock().WallNow();
  const auto row = [&console](const char* name, const std::string& value) {
    console.out << fmt::format("{:<12}{}\n", name, value);
  };
  row("server", std::to_string(server.server()));
  row("state", led ? Paint(console, ColourOf(view, now), StateText(view, now)) : "?");
  row("host", server.host());
  row("rack", server.rack().empty() ? "-" : server.rack());
  row("address", FramesText(server));
  const bool several = view.disks.size() > 1;
  if (several) row("disks", std::to_string(view.disks.size()));
  row(several ? "room" : "disk", led ? DiskText(server) : "?");
  row("groups", fmt::format("{} active, {} syncing, leads {}", server.active_groups(),
                            server.syncing_groups(), server.primary_groups()));
  row("bad blocks", led ? std::to_string(server.checksum_errors()) : "?");
  if (!several) return;
  console.out << "\n";
  PrintDisks(view.disks, led, console);
}

// The sums over its disks, and each of those.
std::string ViewJson(const ChunkserverView& view) {
  std::string disks;
  for (const auto& disk : view.disks) disks += (disks.empty() ? "" : ",") + ToJson(disk);
  std::string whole = ToJson(view.whole);
  whole.pop_back();
  return whole + ",\"disks\":[" + disks + "]}";
}

Result<ExitCode> ShowServer(const ShowOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options.cluster));
  ASSIGN_OR_RETURN(auto disks, PickDisks(fleet.status, options.server));
  const ChunkserverView view = MakeView(std::move(disks));
  if (options.cluster.json) {
    console.out << ViewJson(view) << "\n";
  } else {
    PrintServer(view, fleet.led, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddServerShowVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand("show", "All that is known of one chunkserver");
  auto options = std::make_shared<ShowOptions>();
  AddClusterOptions(verb, options->cluster);
  AddServerArgument(verb, options->server);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowServer(*options, console); };
  });
}

}  // namespace cairn

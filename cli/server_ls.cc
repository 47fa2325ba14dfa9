#include "cli/chunkserver_view.h"
#include "cli/chunkservers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
void PrintServers(const Fleet& fleet, const Console& console) {
  const WallTime now = SystemClock().WallNow();
  Table table({"SERVER", "STATE", "DISKS", "HOST", "RACK", "ADDRESS", "USED", "SIZE", "ACTIVE",
               "SYNCING", "LEADS", "BAD BLOCKS"});
  const auto heard = [&fleet](std::string text) { return fleet.led ? std::move(text) : "?"; };
  for (const ChunkserverView& view : ViewChunkservers(fleet.status)) {
    const v1::ChunkserverStatus& server = view.whole;
    table.Add(
        {std::to_string(server.server()), heard(StateText(view, now)),
         std::to_string(view.disks.size()), server.host(),
         server.rack().empty() ? "-" : server.rack(), FramesText(server),
         heard(FormatBytes(UsedBytes(server))), heard(FormatBytes(server.total_bytes())),
         std::to_string(server.active_groups()), std::to_string(server.syncing_groups()),
         std::to_string(server.primary_groups()), heard(std::to_string(server.checksum_errors()))},
        fleet.led ? ColourOf(view, now) : Colour::kNone);
  }
  table.Print(console);
}

// Who says it comes first: what a follower says of chunkservers is not heard by itself. One entry
// for each disk, as in the cluster's own status.
std::string FleetJson(const Fleet& fleet) {
  std::string list;
  for (const auto& server : fleet.status.chunkservers()) {
    list += (list.empty() ? "" : ",") + ToJson(server);
  }
  return fmt::format("{{\"from_leader\":{},\"servers\":[{}]}}", fleet.led, list);
}

Result<ExitCode> ListServers(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options));
  if (options.json) {
    console.out << FleetJson(fleet) << "\n";
  } else {
    PrintServers(fleet, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddServerLsVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand("ls", "One line for each chunkserver");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ListServers(*options, console); };
  });
}

}  // namespace cairn

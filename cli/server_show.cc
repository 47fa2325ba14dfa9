#include "cli/chunkservers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct ShowOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
};

std::string DiskText(const v1::ChunkserverStatus& server) {
  if (server.total_bytes() == 0) return "not known";
  return fmt::format("{} of {} used ({} %)", FormatBytes(UsedBytes(server)),
                     FormatBytes(server.total_bytes()), UsedPercent(server));
}

void PrintServer(const v1::ChunkserverStatus& server, bool led, const Console& console) {
  const WallTime now = SystemClock().WallNow();
  const auto row = [&console](const char* name, const std::string& value) {
    console.out << fmt::format("{:<12}{}\n", name, value);
  };
  row("server", std::to_string(server.server()));
  row("state", led ? Paint(console, ServerColour(server, now), ServerStateText(server, now)) : "?");
  row("host", server.host());
  row("rack", server.rack().empty() ? "-" : server.rack());
  row("address", FramesText(server));
  row("disk", led ? DiskText(server) : "?");
  row("groups", fmt::format("{} active, {} syncing, leads {}", server.active_groups(),
                            server.syncing_groups(), server.primary_groups()));
  row("bad blocks", led ? std::to_string(server.checksum_errors()) : "?");
}

Result<ExitCode> ShowServer(const ShowOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options.cluster));
  const v1::ChunkserverStatus* server = FindChunkserver(fleet.status, options.server);
  if (server == nullptr) {
    return Fail(ErrorCode::kNotFound, "there is no server {}", options.server);
  }
  if (options.cluster.json) {
    console.out << ToJson(*server) << "\n";
  } else {
    PrintServer(*server, fleet.led, console);
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

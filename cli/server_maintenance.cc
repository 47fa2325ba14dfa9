#include "cli/chunkservers.h"
#include "cli/quantities.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr std::chrono::seconds kLongestMaintenance = std::chrono::hours(30 * 24);

struct MaintenanceOptions {
  ClusterOptions cluster;
  DiskTarget server;
  std::string time;
};

Result<std::chrono::seconds> ParseMaintenance(const std::string& text) {
  ASSIGN_OR_RETURN(const std::chrono::seconds time, ParseDuration(text));
  if (time.count() > 0 && time <= kLongestMaintenance) return time;
  return Fail(ErrorCode::kInvalidArgument, "--for {}: a maintenance takes 1s to 30d", text);
}

Result<ExitCode> Maintain(const MaintenanceOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const std::chrono::seconds time, ParseMaintenance(options.time));
  v1::SetServerRequest request;
  request.set_state(v1::SERVER_MAINTENANCE);
  request.set_maintenance_seconds(static_cast<uint64_t>(time.count()));
  const std::string until = LocalTime(SystemClock().WallNow().seconds + time.count());
  return ChangeServer(
      options.cluster, options.server, request,
      fmt::format("is in maintenance for {}, until about {}", options.time, until), console);
}
}  // namespace

void AddServerMaintenanceVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "maintenance", "For a time, a chunkserver's copies are not made anew elsewhere");
  auto options = std::make_shared<MaintenanceOptions>();
  AddClusterOptions(verb, options->cluster);
  AddServerArgument(verb, options->server);
  verb.add_option("--for", options->time, "How long: 90s, 30m, 2h, 1d; at most 30d")->required();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Maintain(*options, console); };
  });
}

}  // namespace cairn

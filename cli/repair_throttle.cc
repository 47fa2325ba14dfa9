#include "cli/admin_client.h"
#include "cli/quantities.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct ThrottleOptions {
  ClusterOptions cluster;
  std::string rate;  // empty: show it
};

ExitCode TellThrottle(const ThrottleOptions& options, const v1::Settings& settings,
                      const Console& console) {
  if (options.cluster.json) {
    console.out << ToJson(settings) << "\n";
    return ExitCode::kOk;
  }
  const uint64_t rate = settings.copy_bytes_per_second();
  console.out << "while clients use a server it copies at most "
              << (rate == 0 ? "at the default rate" : FormatBytes(rate) + "/s") << "\n";
  return ExitCode::kOk;
}

Result<ExitCode> ShowThrottle(const ThrottleOptions& options, const Console& console) {
  v1::GetRepairResponse repair;
  RETURN_IF_ERROR(AskCluster(options.cluster, "GetRepair", v1::GetRepairRequest(), repair));
  return TellThrottle(options, repair.settings(), console);
}

// SetSettings replaces all of them: what the leader has is read first.
Result<ExitCode> SetThrottle(const ThrottleOptions& options, const Console& console) {
  uint64_t rate = 0;
  if (options.rate != "default") {
    ASSIGN_OR_RETURN(rate, ParseRate(options.rate));
  }
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  const Deadline deadline = Deadline::After(kChangeTime);
  v1::GetRepairResponse repair;
  RETURN_IF_ERROR(client.CallLeader("GetRepair", v1::GetRepairRequest(), repair, deadline));
  v1::SetSettingsRequest request;
  *request.mutable_settings() = repair.settings();
  request.mutable_settings()->set_copy_bytes_per_second(rate);
  v1::SetSettingsResponse response;
  RETURN_IF_ERROR(client.CallLeader("SetSettings", request, response, deadline));
  return TellThrottle(options, request.settings(), console);
}
}  // namespace

void AddRepairThrottleVerb(CLI::App& repair, Action& chosen) {
  CLI::App& verb = *repair.add_subcommand(
      "throttle", "Shows or sets how fast a server copies while clients use it");
  auto options = std::make_shared<ThrottleOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("rate", options->rate, "Bytes per second: 512K, 50M, 1G; or default");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) {
      return options->rate.empty() ? ShowThrottle(*options, console)
                                   : SetThrottle(*options, console);
    };
  });
}

}  // namespace cairn

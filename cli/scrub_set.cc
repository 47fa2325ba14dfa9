#include "cli/admin_client.h"
#include "cli/quantities.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr std::chrono::seconds kShortest{60};

struct ScrubSetOptions {
  ClusterOptions cluster;
  std::string every;
};

// SetSettings replaces all of them: what the leader has is read first.
Result<ExitCode> SetPeriod(const ScrubSetOptions& options, const Console& console) {
  std::chrono::seconds period{0};
  if (options.every != "default") {
    ASSIGN_OR_RETURN(period, ParseDuration(options.every));
    if (period < kShortest) {
      return Fail(ErrorCode::kInvalidArgument, "a pass takes a minute at least, not {}",
                  options.every);
    }
  }
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  const Deadline deadline = Deadline::After(kChangeTime);
  v1::GetRepairResponse repair;
  RETURN_IF_ERROR(client.CallLeader("GetRepair", v1::GetRepairRequest(), repair, deadline));
  v1::SetSettingsRequest request;
  *request.mutable_settings() = repair.settings();
  request.mutable_settings()->set_scrub_seconds(static_cast<uint64_t>(period.count()));
  v1::SetSettingsResponse response;
  RETURN_IF_ERROR(client.CallLeader("SetSettings", request, response, deadline));
  console.out << (options.cluster.json ? ToJson(request.settings())
                                       : "all that is stored is read once in " +
                                             (period.count() == 0 ? "14d" : options.every))
              << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddScrubSetVerb(CLI::App& scrub, Action& chosen) {
  CLI::App& verb =
      *scrub.add_subcommand("set", "Sets within what time all that is stored is read once");
  auto options = std::make_shared<ScrubSetOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("--every", options->every, "12h, 14d; or default")->required();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return SetPeriod(*options, console); };
  });
}

}  // namespace cairn

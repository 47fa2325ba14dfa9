#include "cli/admin_client.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct RepairNowOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
};

Result<ExitCode> RepairNow(const RepairNowOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::SkipGraceRequest request;
  request.set_server(options.server);
  v1::SkipGraceResponse response;
  RETURN_IF_ERROR(client.CallLeader("SkipGrace", request, response, Deadline::After(kChangeTime)));
  if (options.cluster.json) {
    console.out << ToJson(request) << "\n";
  } else {
    console.out << "nobody waits any longer for "
                << (options.server == 0 ? "servers that are away"
                                        : fmt::format("server {} while it is away", options.server))
                << "\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddRepairNowVerb(CLI::App& repair, Action& chosen) {
  CLI::App& verb = *repair.add_subcommand(
      "now", "Makes the copies of servers that are away anew at once, without the grace time");
  auto options = std::make_shared<RepairNowOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("--server", options->server, "Of this one only; of all of them unless given")
      ->check(CLI::PositiveNumber);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return RepairNow(*options, console); };
  });
}

}  // namespace cairn

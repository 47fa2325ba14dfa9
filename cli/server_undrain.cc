#include "cli/chunkservers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct UndrainOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
};

Result<ExitCode> Undrain(const UndrainOptions& options, const Console& console) {
  v1::SetServerRequest request;
  request.set_server(options.server);
  request.set_state(v1::SERVER_IN_SERVICE);
  return ChangeServer(options.cluster, request,
                      fmt::format("server {} is in service", options.server), console);
}
}  // namespace

void AddServerUndrainVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "undrain", "Takes a chunkserver back into service: ends a drain or a maintenance");
  auto options = std::make_shared<UndrainOptions>();
  AddClusterOptions(verb, options->cluster);
  AddServerArgument(verb, options->server);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Undrain(*options, console); };
  });
}

}  // namespace cairn

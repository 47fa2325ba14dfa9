#include "cli/admin_client.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct ServerRemoveOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
};

Result<ExitCode> RemoveChunkserver(const ServerRemoveOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::RemoveServerRequest request;
  request.set_server(options.server);
  v1::RemoveServerResponse response;
  const Status status =
      client.CallLeader("RemoveServer", request, response, Deadline::After(kChangeTime));
  // An answer was lost: it is gone by our doing.
  const bool done_before = status.code() == ErrorCode::kNotFound && client.repeated();
  if (!done_before) RETURN_IF_ERROR(status);
  if (options.cluster.json) {
    console.out << "{\"removed\":" << options.server << "}\n";
  } else {
    console.out << "server " << options.server
                << " is out of the cluster; its process may be stopped\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddServerRemoveVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "remove", "Forgets a chunkserver; refused while it keeps copies that are needed");
  auto options = std::make_shared<ServerRemoveOptions>();
  AddClusterOptions(verb, options->cluster);
  AddServerArgument(verb, options->server);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return RemoveChunkserver(*options, console); };
  });
}

}  // namespace cairn

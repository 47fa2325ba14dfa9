#include "cli/admin_client.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct ServerRemoveOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
  uint32_t give_up_groups = 0;
};

Result<ExitCode> RemoveChunkserver(const ServerRemoveOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(AdminClient client, OpenCluster(options.cluster));
  v1::RemoveServerRequest request;
  request.set_server(options.server);
  request.set_give_up_groups(options.give_up_groups);
  v1::RemoveServerResponse response;
  const Status status =
      client.CallLeader("RemoveServer", request, response, Deadline::After(kChangeTime));
  // An answer was lost: it is gone by our doing.
  const bool done_before = status.code() == ErrorCode::kNotFound && client.repeated();
  if (!done_before) RETURN_IF_ERROR(status);
  if (options.cluster.json) {
    console.out << "{\"removed\":" << options.server
                << ",\"lost_groups\":" << response.lost_groups()
                << ",\"doubted_groups\":" << response.doubted_groups() << "}\n";
    return ExitCode::kOk;
  }
  console.out << "server " << options.server
              << " is out of the cluster; its process may be stopped\n";
  if (response.lost_groups() > 0) {
    console.out << response.lost_groups()
                << " placement groups are lost: 'cairn fsck' lists the files\n";
  }
  if (response.doubted_groups() > 0) {
    console.out << response.doubted_groups()
                << " placement groups go on once their other copies are back\n";
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
  verb.add_option("--give-up", options->give_up_groups,
                  "Also if this many placement groups may be on no other server")
      ->type_name("GROUPS");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return RemoveChunkserver(*options, console); };
  });
}

}  // namespace cairn

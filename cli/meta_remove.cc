#include <thread>

#include "cli/admin_client.h"
#include "cli/survey.h"
#include "cli/verb.h"
#include "client/backoff.h"

namespace cairn {

namespace {

struct RemoveOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
  int timeout_s = 60;
};

// Until it is gone. What is no member any more after we have asked once is gone by our doing.
Status RemoveStepByStep(AdminClient& client, const RemoveOptions& options, Deadline deadline) {
  v1::RemoveMetaserverRequest request;
  request.set_server(options.server);
  bool asked = false;
  const Deadline doubt = client::Earlier(deadline, std::chrono::seconds(1));
  for (;;) {
    v1::RemoveMetaserverResponse step;
    const Status status = client.CallLeader("RemoveMetaserver", request, step, deadline);
    // One that leads since a moment ago may not have heard them all yet.
    if (status.code() == ErrorCode::kBelowMinActive && !doubt.Passed()) {
      std::this_thread::sleep_for(kRest);
      continue;
    }
    const bool absent = status.code() == ErrorCode::kNotFound;
    if (absent && (asked || client.repeated())) return OkStatus();
    if (asked && deadline.Left() <= kRest && status.code() == ErrorCode::kUnavailable) break;
    RETURN_IF_ERROR(status);
    if (step.gone()) return OkStatus();
    asked = true;
    if (deadline.Left() <= kRest) break;
    std::this_thread::sleep_for(kRest);
  }
  return Status::Error(ErrorCode::kDeadlineExceeded,
                       "metaserver {} is still being removed; ask again to wait on",
                       options.server);
}

Result<ExitCode> Remove(const RemoveOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  RETURN_IF_ERROR(
      RemoveStepByStep(client, options, Deadline::After(std::chrono::seconds(options.timeout_s))));
  if (options.cluster.json) {
    console.out << "{\"removed\":" << options.server << "}\n";
  } else {
    console.out << "metaserver " << options.server
                << " is out of the group; its process may be stopped\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddMetaRemoveVerb(CLI::App& meta, Action& chosen) {
  CLI::App& verb = *meta.add_subcommand("remove", "Takes a metaserver out of the group");
  auto options = std::make_shared<RemoveOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("server", options->server, "Its id, as 'cairn meta ls' shows it")
      ->required()
      ->check(CLI::PositiveNumber);
  verb.add_option("--timeout", options->timeout_s, "Seconds to wait until it is out")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Remove(*options, console); };
  });
}

}  // namespace cairn

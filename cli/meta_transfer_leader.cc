#include <thread>

#include "cli/admin_client.h"
#include "cli/group_view.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kTransferTime = std::chrono::seconds(10);
constexpr std::chrono::milliseconds kStep{20};

struct TransferOptions {
  ClusterOptions cluster;
  uint32_t server = 0;
  bool wait = false;
};

// Who says of itself that it leads; 0: nobody.
uint32_t LeaderInOffice(AdminClient& client, Deadline deadline) {
  const Survey survey =
      TakeSurvey(client, {}, Deadline::After(std::min(kSurveyTime, deadline.Left())));
  const MemberAnswer* best = BestOf(survey);
  return best != nullptr && best->Leads() ? best->says.server() : 0;
}

// `before` led when the transfer was asked for.
Result<uint32_t> AwaitSuccessor(AdminClient& client, uint32_t wanted, uint32_t before,
                                Deadline deadline) {
  for (;;) {
    const uint32_t leader = LeaderInOffice(client, deadline);
    if (leader != 0 && (wanted != 0 ? leader == wanted : leader != before)) return leader;
    if (deadline.Left() <= kStep) {
      return Fail(ErrorCode::kUnavailable, "the transfer did not happen: metaserver {} leads",
                  leader);
    }
    std::this_thread::sleep_for(kStep);
  }
}

ExitCode Tell(const TransferOptions& options, uint32_t leader, bool leads,
              const Console& console) {
  if (options.cluster.json) {
    console.out << "{\"leader\":" << leader << "}\n";
  } else if (leads) {
    console.out << "metaserver " << leader << " leads\n";
  } else {
    console.out << "the leadership is being handed over\n";
  }
  return ExitCode::kOk;
}

Result<ExitCode> Transfer(const TransferOptions& options, const Console& console) {
  const Deadline deadline = Deadline::After(kTransferTime);
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const uint32_t before = LeaderInOffice(client, deadline);
  if (before != 0 && before == options.server) return Tell(options, before, true, console);
  v1::TransferLeaderRequest request;
  request.set_server(options.server);
  v1::TransferLeaderResponse response;
  RETURN_IF_ERROR(client.CallLeader("TransferLeader", request, response, deadline));
  if (!options.wait) return Tell(options, options.server, false, console);
  ASSIGN_OR_RETURN(const uint32_t leader,
                   AwaitSuccessor(client, options.server, before, deadline));
  return Tell(options, leader, true, console);
}
}  // namespace

void AddMetaTransferLeaderVerb(CLI::App& meta, Action& chosen) {
  CLI::App& verb =
      *meta.add_subcommand("transfer-leader", "Hands the leadership to another metaserver");
  auto options = std::make_shared<TransferOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("server", options->server, "To which; whoever is furthest unless given")
      ->check(CLI::PositiveNumber);
  verb.add_flag("--wait", options->wait, "Until another one leads");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Transfer(*options, console); };
  });
}

}  // namespace cairn

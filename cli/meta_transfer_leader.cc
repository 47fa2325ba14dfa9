#include <thread>

#include "cli/admin_client.h"
#include "cli/group_view.h"
#include "cli/survey.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kTransferTime = std::chrono::seconds(10);

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
    if (deadline.Left() <= kRest) {
      return Fail(ErrorCode::kUnavailable, "the transfer did not happen: {}",
                  leader == 0 ? "nobody leads" : fmt::format("metaserver {} leads", leader));
    }
    std::this_thread::sleep_for(kRest);
  }
}

Status AskForTransfer(AdminClient& client, uint32_t server, Deadline deadline) {
  v1::TransferLeaderRequest request;
  request.set_server(server);
  v1::TransferLeaderResponse response;
  const Status status = client.CallLeader("TransferLeader", request, response, deadline);
  // An answer was lost, or there was an election meanwhile: it is no other voter than the leader.
  const bool absent = status.code() == ErrorCode::kNotFound;
  if (absent && server != 0 && LeaderInOffice(client, deadline) == server) return OkStatus();
  // The handover that is under way is ours.
  if (status.code() == ErrorCode::kBusy && client.repeated()) return OkStatus();
  return status;
}

ExitCode Tell(const TransferOptions& options, uint32_t leader, bool leads, const Console& console) {
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
  v1::ListMetaserversResponse office;
  RETURN_IF_ERROR(
      client.CallLeader("ListMetaservers", v1::ListMetaserversRequest(), office, deadline));
  const uint32_t before = office.server();
  if (before == options.server) return Tell(options, before, true, console);
  RETURN_IF_ERROR(AskForTransfer(client, options.server, deadline));
  if (!options.wait) return Tell(options, options.server, false, console);
  ASSIGN_OR_RETURN(const uint32_t leader, AwaitSuccessor(client, options.server, before, deadline));
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

#include "cairn/v1/admin.pb.h"
#include "cli/admin_client.h"
#include "cli/dev_member_options.h"
#include "common/fault_plan.h"
#include "rpc/channel.h"
#include "rpc/frame.h"
#include "rpc/poller.h"

namespace cairn {

namespace {
struct FaultOptions {
  MemberOptions member;
  std::vector<std::string> rules;
};

// Each argument is a rule; "clear" alone is none.
Result<std::string> RulesText(const std::vector<std::string>& rules) {
  if (rules == std::vector<std::string>{"clear"}) return std::string();
  std::string text;
  for (const std::string& rule : rules) text += rule + "\n";
  RETURN_IF_ERROR(ParseFaultRules(text));
  return text;
}

// A chunkserver speaks frames only.
Status SetChunkserverFaults(const DevCluster& cluster, const DevMember& member,
                            const v1::SetFaultsRequest& request) {
  ChannelOptions options;
  options.hello.set_min_version(kFrameVersion);
  options.hello.set_max_version(kFrameVersion);
  options.hello.set_cluster_id(cluster.shape().cluster_id);
  options.hello.set_role(v1::ROLE_ADMIN);
  Address address;
  address.unix_path = cluster.SocketFile(member);
  const auto channel = MakeChannel(address, options, Poller::Start("cairn-poller"));
  const auto answer = channel->Call<v1::SetFaultsResponse>(v1::ADMIN_SET_FAULTS, request,
                                                           Deadline::After(kAskTime));
  channel->Close();
  return internal::StatusOf(answer);
}

Status SetMetaserverFaults(const DevCluster& cluster, const DevMember& member,
                           const v1::SetFaultsRequest& request) {
  ASSIGN_OR_RETURN(const ClusterAccess access, cluster.Access());
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  v1::SetFaultsResponse response;
  const v1::MetaserverAddress address = DevMetaserverAddress(cluster.shape(), member.number);
  return client.CallAt(ChooseAddress(address.grpc(), /*allow_unix=*/false), "SetFaults", request,
                       response, Deadline::After(kAskTime));
}

Result<ExitCode> SetFaults(const FaultOptions& options, const Console& console) {
  v1::SetFaultsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_rules(), RulesText(options.rules));
  ASSIGN_OR_RETURN(const DevCluster cluster, options.member.OpenCluster());
  ASSIGN_OR_RETURN(const DevMember member, options.member.Find(cluster));
  if (member.role == DevRole::kClient) {
    return Fail(ErrorCode::kInvalidArgument, "faults are for meta and chunk, not for client");
  }
  RETURN_IF_ERROR(member.role == DevRole::kMeta ? SetMetaserverFaults(cluster, member, request)
                                                : SetChunkserverFaults(cluster, member, request));
  options.member.Tell(member, request.rules().empty() ? "without faults" : "faulty", console);
  return ExitCode::kOk;
}
}  // namespace

void AddDevFaultVerb(CLI::App& dev, Action& chosen) {
  CLI::App& verb = *dev.add_subcommand(
      "fault", "Makes disk or network of one server fail; only in builds with CAIRN_FAULTS");
  auto options = std::make_shared<FaultOptions>();
  options->member.AddTo(verb);
  verb.add_option("rules", options->rules,
                  "'write torn where=chunks/ times=1', 'send delay=20ms', ...; or: clear")
      ->required();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return SetFaults(*options, console); };
  });
}

}  // namespace cairn

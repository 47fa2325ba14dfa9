#include "cli/dev/metaservers.h"
#include "cli/dev/server_files.h"
#include "cli/dev/servers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kStartTime = std::chrono::seconds(30);

struct AddOptions {
  std::string kind;
  std::string directory;
  bool json = false;
};

// It answers, without a group.
Status AwaitAnswer(const DevCluster& cluster, const DevMember& member) {
  ASSIGN_OR_RETURN(const ClusterAccess access, cluster.Access());
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const v1::MetaserverAddress address = DevMetaserverAddress(cluster.shape(), member.number);
  const Address grpc = ChooseAddress(address.grpc(), /*allow_unix=*/false);
  const Deadline deadline = Deadline::After(kStartTime);
  Status last;
  do {
    RETURN_IF_ERROR(CheckRuns(cluster, member));
    v1::ListMetaserversResponse says;
    last = client.CallAt(grpc, "ListMetaservers", v1::ListMetaserversRequest(), says,
                         Deadline::After(kSurveyTime));
  } while (!last.ok() && !deadline.Passed());
  return last;
}

void Tell(const DevCluster& cluster, const DevMember& member, bool json, const Console& console) {
  const v1::MetaserverAddress address = DevMetaserverAddress(cluster.shape(), member.number);
  const std::string frames = ChooseAddress(address.frames(), false).ToString();
  const std::string grpc = ChooseAddress(address.grpc(), false).ToString();
  if (json) {
    console.out << fmt::format("{{\"name\":{},\"number\":{},\"frames\":{},\"grpc\":{}}}\n",
                               QuoteJson(member.name()), member.number, QuoteJson(frames),
                               QuoteJson(grpc));
    return;
  }
  console.out << fmt::format(
      "{0:<9} {1} frames, {2} gRPC\nnot in the group yet: cairn meta add {1} --grpc {2}{3}\n",
      member.name(), frames, grpc, DirOption(cluster.directory(), LookupEnvironment::OfProcess()));
}

Result<ExitCode> Add(const AddOptions& options, const Console& console) {
  if (options.kind != "meta") {
    return Fail(ErrorCode::kInvalidArgument, "'{}': only a meta can be added", options.kind);
  }
  ASSIGN_OR_RETURN(const std::string directory,
                   DevDirectory(options.directory, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(const DevCluster before, DevCluster::Open(directory));
  ASSIGN_OR_RETURN(const auto lock, LockDevDirectory(directory));
  ASSIGN_OR_RETURN(DevCluster cluster, DevCluster::Open(directory));
  if (!cluster.shape().founded) {
    return Fail(ErrorCode::kBusy, "{} is not founded yet: 'cairn dev up' comes first", directory);
  }
  Shape shape = cluster.shape();
  RETURN_IF_ERROR(AddMetaserver(shape));
  RETURN_IF_ERROR(cluster.SaveShape(std::move(shape)));
  RETURN_IF_ERROR(WriteServerFiles(cluster));
  const DevMember member{DevRole::kMeta, cluster.shape().meta};
  RETURN_IF_ERROR(StartServer(cluster, member));
  RETURN_IF_ERROR(AwaitAnswer(cluster, member));
  Tell(cluster, member, options.json, console);
  return ExitCode::kOk;
}
}  // namespace

void AddDevAddVerb(CLI::App& dev, Action& chosen) {
  CLI::App& verb = *dev.add_subcommand(
      "add", "Starts one more metaserver, empty; 'cairn meta add' takes it into the group");
  auto options = std::make_shared<AddOptions>();
  verb.add_option("kind", options->kind, "meta")->required();
  verb.add_option("--dir", options->directory, "Directory of the dev cluster");
  verb.add_flag("--json", options->json, "Answer in JSON");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Add(*options, console); };
  });
}

}  // namespace cairn

#include <thread>

#include "cli/admin_client.h"
#include "cli/survey.h"
#include "cli/verb.h"

namespace cairn {

namespace {

struct AddOptions {
  ClusterOptions cluster;
  std::string frames;
  std::string grpc;
  int timeout_s = 60;
};

void Set(v1::Endpoint& endpoint, const Address& address) {
  endpoint.set_host(address.host);
  endpoint.set_port(address.port);
}

Result<v1::MetaserverAddress> ParseMetaserver(const AddOptions& options) {
  ASSIGN_OR_RETURN(const Address frames, ParseAddress(options.frames, kMetaserverFramesPort));
  Address grpc{frames.host, kMetaserverGrpcPort, ""};
  if (!options.grpc.empty()) {
    ASSIGN_OR_RETURN(grpc, ParseAddress(options.grpc, kMetaserverGrpcPort));
  }
  if (frames.host.empty() || grpc.host.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "a metaserver is added by its TCP addresses");
  }
  v1::MetaserverAddress address;
  Set(*address.mutable_frames(), frames);
  Set(*address.mutable_grpc(), grpc);
  return address;
}

// One line that is written over; only where somebody looks on.
class Progress {
 public:
  explicit Progress(const Console& console) : console_(console) {}
  ~Progress() {
    if (shown_) console_.err << "\r\x1b[K" << std::flush;
  }
  void Show(const v1::AddMetaserverResponse& step) {
    if (!console_.colour) return;
    shown_ = true;
    console_.err << fmt::format("\r\x1b[Kmetaserver {}: {}, {} entries behind", step.server(),
                                step.part(), step.entries_behind())
                 << std::flush;
  }

 private:
  const Console& console_;
  bool shown_ = false;
};

// The group meets it by its frames. A wrong gRPC address would be on every disk before anybody
// noticed.
Status CheckGrpcAnswers(AdminClient& client, const v1::MetaserverAddress& address) {
  const Address grpc = ChooseAddress(address.grpc(), /*allow_unix=*/false);
  v1::ListMetaserversResponse says;
  const Status status = client.CallAt(grpc, "ListMetaservers", v1::ListMetaserversRequest(), says,
                                      Deadline::After(kPatientSurveyTime));
  if (status.ok()) return OkStatus();
  return Status::Error(ErrorCode::kNotFound,
                       "no metaserver answers by gRPC at {} (--grpc says where): {}",
                       grpc.ToString(), status);
}

// Each call takes the step that is due.
Result<v1::AddMetaserverResponse> AddStepByStep(AdminClient& client,
                                                const v1::AddMetaserverRequest& request,
                                                Deadline deadline, const Console& console) {
  Progress progress(console);
  v1::AddMetaserverResponse step;
  for (;;) {
    const Status status = client.CallLeader("AddMetaserver", request, step, deadline);
    // How far it had come says more than that the time is over.
    const bool silent = status.code() == ErrorCode::kUnavailable && step.server() != 0;
    if (deadline.Left() <= kRest && silent) {
      break;
    }
    RETURN_IF_ERROR(status);
    if (step.part() == "voter") return step;
    progress.Show(step);
    if (deadline.Left() <= kRest) break;
    std::this_thread::sleep_for(kRest);
  }
  return Fail(ErrorCode::kDeadlineExceeded,
              "metaserver {} does not vote yet ({}, {} entries behind); ask again to wait on",
              step.server(), step.part(), step.entries_behind());
}

Result<ExitCode> Add(const AddOptions& options, const Console& console) {
  v1::AddMetaserverRequest request;
  ASSIGN_OR_RETURN(*request.mutable_address(), ParseMetaserver(options));
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  RETURN_IF_ERROR(CheckGrpcAnswers(client, request.address()));
  const Deadline deadline = Deadline::After(std::chrono::seconds(options.timeout_s));
  ASSIGN_OR_RETURN(const v1::AddMetaserverResponse added,
                   AddStepByStep(client, request, deadline, console));
  if (options.cluster.json) {
    console.out << ToJson(added) << "\n";
  } else {
    console.out << "metaserver " << added.server() << " is a voter\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddMetaAddVerb(CLI::App& meta, Action& chosen) {
  CLI::App& verb = *meta.add_subcommand(
      "add", "Takes an empty metaserver in: first to learn the log, then as a voter");
  auto options = std::make_shared<AddOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("address", options->frames, "Its frames: HOST[:PORT]")->required();
  verb.add_option("--grpc", options->grpc, "Its gRPC: HOST[:PORT]; the same host unless given");
  verb.add_option("--timeout", options->timeout_s, "Seconds to wait until it votes")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Add(*options, console); };
  });
}

}  // namespace cairn

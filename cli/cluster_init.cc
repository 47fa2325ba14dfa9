#include <set>
#include <thread>

#include "cli/certificates.h"
#include "cli/cluster_birth.h"
#include "cli/survey.h"
#include "cli/verb.h"
#include "common/hash.h"

namespace cairn {

namespace {
constexpr Duration kFoundTime = std::chrono::seconds(20);

struct InitOptions {
  std::string meta;
  std::string tls_directory = "/etc/cairn/tls";
  std::string cluster_id;
  uint32_t copies = 3;
  bool json = false;
};

void Set(v1::Endpoint& endpoint, const std::string& host, uint16_t port) {
  endpoint.set_host(host);
  endpoint.set_port(port);
}

// HOST[:FRAMES[/GRPC]].
Result<v1::MetaserverMember> ParseFounder(std::string_view text) {
  const size_t slash = text.find('/');
  ASSIGN_OR_RETURN(const Address frames,
                   ParseAddress(text.substr(0, slash), kMetaserverFramesPort));
  uint16_t grpc_port = kMetaserverGrpcPort;
  if (slash != std::string_view::npos) {
    ASSIGN_OR_RETURN(const Address grpc,
                     ParseAddress(fmt::format("host:{}", text.substr(slash + 1)), 0));
    grpc_port = grpc.port;
  }
  if (frames.host.empty() || frames.port == 0 || grpc_port == 0) {
    return Fail(ErrorCode::kInvalidArgument, "--meta {}: each is HOST[:FRAMES_PORT[/GRPC_PORT]]",
                text);
  }
  v1::MetaserverMember founder;
  Set(*founder.mutable_address()->mutable_frames(), frames.host, frames.port);
  Set(*founder.mutable_address()->mutable_grpc(), frames.host, grpc_port);
  return founder;
}

// One metaserver by its gRPC port alone, its frames at the usual port.
Result<bool> IsGrpcAddress(const std::string& text) {
  if (text.find_first_of(",/") != std::string::npos) return false;
  ASSIGN_OR_RETURN(const Address address, ParseAddress(text, 0));
  return address.port != 0;
}

Status CheckDistinct(const std::vector<v1::MetaserverMember>& founders) {
  std::set<std::string> seen;
  for (const v1::MetaserverMember& founder : founders) {
    for (const v1::Endpoint& endpoint : {founder.address().frames(), founder.address().grpc()}) {
      const std::string text = ChooseAddress(endpoint, /*allow_unix=*/false).ToString();
      if (seen.insert(text).second) continue;
      return Status::Error(ErrorCode::kInvalidArgument, "--meta: {} is named twice", text);
    }
  }
  return OkStatus();
}

Result<std::vector<v1::MetaserverMember>> ParseFounders(const std::string& text) {
  std::vector<v1::MetaserverMember> founders;
  ASSIGN_OR_RETURN(const bool grpc_only, IsGrpcAddress(text));
  if (grpc_only) {
    ASSIGN_OR_RETURN(const Address grpc, ParseAddress(text, kMetaserverGrpcPort));
    v1::MetaserverMember& founder = founders.emplace_back();
    founder.set_server(1);
    Set(*founder.mutable_address()->mutable_frames(), grpc.host, kMetaserverFramesPort);
    Set(*founder.mutable_address()->mutable_grpc(), grpc.host, grpc.port);
    return founders;
  }
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    ASSIGN_OR_RETURN(v1::MetaserverMember founder,
                     ParseFounder(std::string_view(text).substr(begin, end - begin)));
    founder.set_server(static_cast<uint32_t>(founders.size() + 1));
    founders.push_back(std::move(founder));
    begin = end + 1;
  }
  RETURN_IF_ERROR(CheckDistinct(founders));
  if (founders.size() % 2 == 1 && founders.size() <= kMostFounders) return founders;
  return Fail(ErrorCode::kInvalidArgument, "--meta {}: a group begins with 1, 3 or 5 metaservers",
              text);
}

ClusterAccess AccessTo(const Birth& birth, const InitOptions& options) {
  ClusterAccess access;
  for (const v1::MetaserverMember& founder : birth.founders) {
    access.metaservers.push_back(ChooseAddress(founder.address().grpc(), /*allow_unix=*/false));
  }
  access.tls = CertificateFiles(options.tls_directory, "admin");
  return access;
}

Status GiveBirth(AdminClient& client, const Birth& birth, Deadline deadline) {
  for (;;) {
    ASSIGN_OR_RETURN(const BirthStep step,
                     TakeBirthStep(client, birth, /*born_before=*/false, deadline));
    if (step.kind == BirthStep::Kind::kBorn) {
      if (step.lost.empty()) return OkStatus();
      return Status(ErrorCode::kWrongCluster, LostText(birth, step.lost[0]));
    }
    if (deadline.Left() <= kRest) return Status(ErrorCode::kUnavailable, step.waits_for);
    std::this_thread::sleep_for(kRest);
  }
}

Result<ExitCode> Init(const InitOptions& options, const Console& console) {
  Birth birth;
  ASSIGN_OR_RETURN(birth.founders, ParseFounders(options.meta));
  birth.cluster_id = options.cluster_id.empty() ? RandomHex(16) : options.cluster_id;
  birth.copies = options.copies;
  const ClusterAccess access = AccessTo(birth, options);
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const Status born = GiveBirth(client, birth, Deadline::After(kFoundTime));
  // Some may be adopted by now, and take no other id.
  if (!born.ok() && born.code() != ErrorCode::kWrongCluster) {
    return Fail(born.code(), "{}; repeat with --id {}", born.message(), birth.cluster_id);
  }
  RETURN_IF_ERROR(born);
  console.out << (options.json ? "{\"cluster_id\":" + QuoteJson(birth.cluster_id) + "}"
                               : "cluster " + birth.cluster_id)
              << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddClusterInitVerb(CLI::App& cluster, Action& chosen) {
  CLI::App& verb = *cluster.add_subcommand("init", "Births a cluster on empty metaservers, once");
  auto options = std::make_shared<InitOptions>();
  verb.add_option("--meta", options->meta,
                  "All metaservers: HOST[:FRAMES_PORT[/GRPC_PORT]],...; of a single one HOST:PORT "
                  "is its gRPC port")
      ->required();
  verb.add_option("--copies", options->copies, "Copies of each chunk")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  verb.add_option("--id", options->cluster_id, "Its id; to repeat an init whose answer was lost");
  verb.add_option("--tls-dir", options->tls_directory, "Holds ca.crt, admin.crt and admin.key")
      ->capture_default_str();
  verb.add_flag("--json", options->json, "Answer in JSON");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Init(*options, console); };
  });
}

}  // namespace cairn

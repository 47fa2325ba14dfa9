#include "cli/admin_client.h"
#include "cli/certificates.h"
#include "cli/verb.h"
#include "common/hash.h"

namespace cairn {

namespace {
constexpr Duration kFoundTime = std::chrono::seconds(10);

struct InitOptions {
  std::string meta;
  std::string tls_directory = "/etc/cairn/tls";
  std::string cluster_id;
  uint32_t copies = 3;
  bool json = false;
};

Result<ExitCode> Init(const InitOptions& options, const Console& console) {
  ClusterAccess access;
  ASSIGN_OR_RETURN(access.metaservers, ParseAddresses(options.meta, kMetaserverGrpcPort));
  if (access.metaservers.size() != 1) {
    return Fail(ErrorCode::kInvalidArgument, "--meta {}: this version runs one metaserver",
                options.meta);
  }
  access.tls = CertificateFiles(options.tls_directory, "admin");
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const std::string id = options.cluster_id.empty() ? RandomHex(16) : options.cluster_id;
  RETURN_IF_ERROR(FoundCluster(client, id, options.copies, 0, Deadline::After(kFoundTime)));
  console.out << (options.json ? "{\"cluster_id\":" + QuoteJson(id) + "}" : "cluster " + id)
              << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddClusterInitVerb(CLI::App& cluster, Action& chosen) {
  CLI::App& verb = *cluster.add_subcommand("init", "Births a cluster on an empty metaserver, once");
  auto options = std::make_shared<InitOptions>();
  verb.add_option("--meta", options->meta, "The metaserver: HOST[:PORT] (gRPC)")->required();
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

#include "cli/admin_client.h"
#include "cli/verb.h"

namespace cairn {

namespace {
struct PoolOptions {
  ClusterOptions cluster;
  uint32_t pool = 0;
  uint32_t min_active = 0;
};

Result<ExitCode> SetPool(const PoolOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  v1::SetPoolRequest request;
  request.set_pool(options.pool);
  request.set_min_active(options.min_active);
  v1::SetPoolResponse response;
  RETURN_IF_ERROR(client.CallLeader("SetPool", request, response, Deadline::After(kChangeTime)));
  if (options.cluster.json) {
    console.out << ToJson(request) << "\n";
  } else {
    console.out << "min active is " << options.min_active << "\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddPoolSetVerb(CLI::App& pool, Action& chosen) {
  CLI::App& verb = *pool.add_subcommand("set", "Changes a pool");
  auto options = std::make_shared<PoolOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_option("--pool", options->pool, "Its id; the default pool unless given");
  verb.add_option("--min-active", options->min_active,
                  "Active copies below which a group takes no writes")
      ->required()
      ->check(CLI::Range(1, 16));
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return SetPool(*options, console); };
  });
}

}  // namespace cairn

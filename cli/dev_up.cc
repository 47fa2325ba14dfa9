#include "cli/dev/clients.h"
#include "cli/dev/server_files.h"
#include "cli/dev/servers.h"
#include "cli/verb.h"

namespace cairn {

namespace {
constexpr Duration kUpTime = std::chrono::seconds(60);

struct UpOptions {
  std::string directory;
  ShapeFlags flags;
  std::vector<std::string> mounts;
  bool json = false;
};

struct Endpoint {
  std::string name;
  std::string text;
};

std::vector<Endpoint> Endpoints(const DevCluster& cluster) {
  const Shape& shape = cluster.shape();
  std::vector<Endpoint> endpoints;
  for (size_t i = 0; i < shape.meta_ports.size(); ++i) {
    const std::string name = fmt::format("meta{}", i + 1);
    endpoints.push_back({name, fmt::format("127.0.0.1:{} frames, 127.0.0.1:{} gRPC",
                                           shape.meta_ports[i].frames, shape.meta_ports[i].grpc)});
  }
  for (size_t i = 0; i < shape.chunk_ports.size(); ++i) {
    endpoints.push_back(
        {fmt::format("chunk{}", i + 1), fmt::format("127.0.0.1:{} frames", shape.chunk_ports[i])});
  }
  for (const DevMember& client : cluster.Clients()) {
    endpoints.push_back({client.name(), "mounted on " + cluster.MountPoint(client)});
  }
  endpoints.push_back({"logs", cluster.directory() + "/log"});
  return endpoints;
}

void PrintEndpoints(const DevCluster& cluster, bool json, const Console& console) {
  if (!json) {
    for (const Endpoint& endpoint : Endpoints(cluster)) {
      console.out << fmt::format("{:<9} {}\n", endpoint.name, endpoint.text);
    }
    return;
  }
  std::string list;
  for (const Endpoint& endpoint : Endpoints(cluster)) {
    list += (list.empty() ? "" : ",") + QuoteJson(endpoint.name) + ":" + QuoteJson(endpoint.text);
  }
  console.out << "{\"directory\":" << QuoteJson(cluster.directory())
              << ",\"cluster_id\":" << QuoteJson(cluster.shape().cluster_id)
              << ",\"mounts\":" << JsonList(cluster.shape().mounts) << ",\"endpoints\":{" << list
              << "}}\n";
}

Result<ExitCode> Up(const UpOptions& options, const Console& console) {
  const Deadline deadline = Deadline::After(kUpTime);
  ASSIGN_OR_RETURN(const std::string directory,
                   DevDirectory(options.directory, LookupEnvironment::OfProcess()));
  RETURN_IF_ERROR(PosixFiles().MakeDirectory(directory));
  ASSIGN_OR_RETURN(const auto lock, LockDevDirectory(directory));
  ASSIGN_OR_RETURN(DevCluster cluster, DevCluster::OpenOrCreate(directory, options.flags));
  RETURN_IF_ERROR(WriteServerFiles(cluster));
  for (const DevMember& server : cluster.Servers()) RETURN_IF_ERROR(StartServer(cluster, server));
  RETURN_IF_ERROR(AwaitCluster(cluster, deadline, [&](const std::string& text) {
    console.err << "warning: " << text << std::endl;
  }));
  RETURN_IF_ERROR(RememberMounts(cluster, options.mounts));
  for (const DevMember& client : cluster.Clients()) {
    RETURN_IF_ERROR(StartClient(cluster, client, deadline));
  }
  PrintEndpoints(cluster, options.json, console);
  return ExitCode::kOk;
}
}  // namespace

void AddDevUpVerb(CLI::App& dev, Action& chosen) {
  CLI::App& verb = *dev.add_subcommand("up", "Makes a cluster, or starts what is down of one");
  auto options = std::make_shared<UpOptions>();
  verb.add_option("--dir", options->directory, "Where it keeps everything");
  verb.add_option("--meta", options->flags.meta, "Metaservers: 1, 3 (the default) or 5");
  verb.add_option("--chunk", options->flags.chunk, "Chunkservers (default 3)");
  verb.add_option("--disks", options->flags.disks, "Disks of each chunkserver (default 1)");
  verb.add_option("--copies", options->flags.copies, "Copies of each chunk (default 3)");
  verb.add_option("--min-active", options->flags.min_active,
                  "Active copies below which writes are refused");
  verb.add_option("--mount", options->mounts, "Mount it there, now and at each later up")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.add_flag("--json", options->json, "Answer in JSON");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Up(*options, console); };
  });
}

}  // namespace cairn

#include "cli/app.h"

#include <algorithm>

#include "cli/verb.h"

namespace cairn {

namespace {
void AddFleetVerbs(CLI::App& app, Action& chosen) {
  CLI::App& server = *app.add_subcommand("server", "The chunkservers: see them, take them out");
  server.require_subcommand(1);
  AddServerLsVerb(server, chosen);
  AddServerShowVerb(server, chosen);
  AddServerDrainVerb(server, chosen);
  AddServerUndrainVerb(server, chosen);
  AddServerMaintenanceVerb(server, chosen);
  AddServerRemoveVerb(server, chosen);
  CLI::App& disk = *app.add_subcommand("disk", "The disks of the chunkservers");
  disk.require_subcommand(1);
  AddDiskLsVerb(disk, chosen);
  AddDiskDrainVerb(disk, chosen);
  AddDiskUndrainVerb(disk, chosen);
  AddDiskRemoveVerb(disk, chosen);
  CLI::App& repair = *app.add_subcommand("repair", "How missing copies are made again");
  repair.require_subcommand(1);
  AddRepairLsVerb(repair, chosen);
  AddRepairThrottleVerb(repair, chosen);
  AddRepairNowVerb(repair, chosen);
  CLI::App& scrub = *app.add_subcommand("scrub", "How all that is stored is read to find damage");
  scrub.require_subcommand(1);
  AddScrubStartVerb(scrub, chosen);
  AddScrubStatusVerb(scrub, chosen);
  AddScrubSetVerb(scrub, chosen);
}

void AddVerbs(CLI::App& app, Action& chosen) {
  app.require_subcommand(1);
  CLI::App& dev = *app.add_subcommand("dev", "A cluster of separate processes on this machine");
  dev.require_subcommand(1);
  AddDevUpVerb(dev, chosen);
  AddDevDownVerb(dev, chosen);
  AddDevSignalVerbs(dev, chosen);
  AddDevStartVerb(dev, chosen);
  AddDevAddVerb(dev, chosen);
  AddDevFaultVerb(dev, chosen);
  AddMountVerb(app, chosen);
  AddUmountVerb(app, chosen);
  AddStatusVerb(app, chosen);
  AddHealthVerb(app, chosen);
  AddWhereVerb(app, chosen);
  AddEventsVerb(app, chosen);
  AddFsckVerb(app, chosen);
  AddFleetVerbs(app, chosen);
  CLI::App& meta = *app.add_subcommand("meta", "The group of metaservers");
  meta.require_subcommand(1);
  AddMetaLsVerb(meta, chosen);
  AddMetaAddVerb(meta, chosen);
  AddMetaRemoveVerb(meta, chosen);
  AddMetaTransferLeaderVerb(meta, chosen);
  AddMetaHashVerb(meta, chosen);
  CLI::App& layout = *app.add_subcommand("layout", "Copies and chunk size, per directory");
  layout.require_subcommand(1);
  AddLayoutSetVerb(layout, chosen);
  AddLayoutShowVerb(layout, chosen);
  CLI::App& pool = *app.add_subcommand("pool", "Settings of a pool");
  pool.require_subcommand(1);
  AddPoolSetVerb(pool, chosen);
  CLI::App& cluster = *app.add_subcommand("cluster", "The birth of a cluster");
  cluster.require_subcommand(1);
  AddClusterInitVerb(cluster, chosen);
  AddVersionVerb(app, chosen);
}

ExitCode Tell(const Console& console, const Result<ExitCode>& result) {
  if (result.has_value()) return *result;
  const Status& status = result.error();
  console.err << "cairn: "
              << (status.message().empty() ? std::string(ErrorCodeName(status.code()))
                                           : status.message())
              << "\n";
  return ExitCodeOf(status);
}
}  // namespace

void AddClusterOptions(CLI::App& verb, ClusterOptions& options) {
  verb.add_option("--dir", options.directory, "Directory of a dev cluster");
  verb.add_option("--cluster", options.cluster, "Metaservers: HOST[:PORT],... (gRPC)");
  verb.add_option("--tls-dir", options.tls_directory, "Holds ca.crt, admin.crt and admin.key");
  verb.add_flag("--json", options.json, "Answer in JSON");
}

void AddServerArgument(CLI::App& verb, DiskTarget& server) {
  server.one_disk = false;
  verb.add_option("server", server.id, "Its id, as 'cairn server ls' shows it")
      ->required()
      ->check(CLI::PositiveNumber);
}

void AddDiskArgument(CLI::App& verb, DiskTarget& disk) {
  disk.one_disk = true;
  verb.add_option("disk", disk.id, "Its id, as 'cairn disk ls' shows it")
      ->required()
      ->check(CLI::PositiveNumber);
}

ExitCode RunCairn(std::vector<std::string> arguments, const Console& console) {
  CLI::App app("Cairn, a distributed file system.", "cairn");
  Action chosen;
  AddVerbs(app, chosen);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 wants the last one first
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& help) {
    app.exit(help, console.out, console.err);
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    console.err << "cairn: " << error.what() << "\n";
    return ExitCode::kUsage;
  }
  return Tell(console, chosen(console));
}

}  // namespace cairn

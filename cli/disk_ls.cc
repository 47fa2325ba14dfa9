#include "cli/chunkservers.h"
#include "cli/disk_table.h"
#include "cli/verb.h"

namespace cairn {

namespace {
Result<ExitCode> ListDisks(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options));
  const std::vector<v1::ChunkserverStatus> disks(fleet.status.chunkservers().begin(),
                                                 fleet.status.chunkservers().end());
  if (options.json) {
    console.out << DisksJson(disks, fleet.led) << "\n";
  } else {
    PrintDisks(disks, fleet.led, console);
  }
  return ExitCode::kOk;
}
}  // namespace

void AddDiskLsVerb(CLI::App& disk, Action& chosen) {
  CLI::App& verb = *disk.add_subcommand("ls", "Where each disk is, how full, and what it lost");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ListDisks(*options, console); };
  });
}

}  // namespace cairn

#include "cli/chunkservers.h"
#include "cli/verb.h"

namespace cairn {

void AddDiskUndrainVerb(CLI::App& disk, Action& chosen) {
  CLI::App& verb = *disk.add_subcommand(
      "undrain", "Takes one disk back into service: ends a drain or a maintenance");
  auto options = std::make_shared<ClusterOptions>();
  auto target = std::make_shared<DiskTarget>();
  AddClusterOptions(verb, *options);
  AddDiskArgument(verb, *target);
  verb.callback([&chosen, options, target] {
    chosen = [options, target](const Console& console) {
      return ChangeServer(*options, *target, BackInService(), "is in service", console);
    };
  });
}

}  // namespace cairn

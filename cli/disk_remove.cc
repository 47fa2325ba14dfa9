#include "cli/remove_disks.h"
#include "cli/verb.h"

namespace cairn {

void AddDiskRemoveVerb(CLI::App& disk, Action& chosen) {
  CLI::App& verb = *disk.add_subcommand(
      "remove", "Forgets one disk; refused while it keeps copies that are needed");
  auto removal = std::make_shared<Removal>();
  AddClusterOptions(verb, removal->cluster);
  AddDiskArgument(verb, removal->target);
  AddGiveUpOption(verb, *removal);
  removal->hint = "take it out of chunkserver.toml";
  verb.callback([&chosen, removal] {
    chosen = [removal](const Console& console) { return RemoveDisks(*removal, console); };
  });
}

}  // namespace cairn

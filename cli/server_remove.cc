#include "cli/remove_disks.h"
#include "cli/verb.h"

namespace cairn {

void AddServerRemoveVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "remove", "Forgets a chunkserver; refused while it keeps copies that are needed");
  auto removal = std::make_shared<Removal>();
  AddClusterOptions(verb, removal->cluster);
  AddServerArgument(verb, removal->target);
  AddGiveUpOption(verb, *removal);
  removal->hint = "its process may be stopped";
  verb.callback([&chosen, removal] {
    chosen = [removal](const Console& console) { return RemoveDisks(*removal, console); };
  });
}

}  // namespace cairn

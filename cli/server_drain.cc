#include "cli/drain.h"
#include "cli/verb.h"

namespace cairn {

void AddServerDrainVerb(CLI::App& server, Action& chosen) {
  CLI::App& verb = *server.add_subcommand(
      "drain", "Moves all copies from a chunkserver to others; 'undrain' stops it");
  auto options = std::make_shared<DrainOptions>();
  AddDrainOptions(verb, *options);
  AddServerArgument(verb, options->target);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Drain(*options, console); };
  });
}

}  // namespace cairn

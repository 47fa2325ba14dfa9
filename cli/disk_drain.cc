#include "cli/drain.h"
#include "cli/verb.h"

namespace cairn {

void AddDiskDrainVerb(CLI::App& disk, Action& chosen) {
  CLI::App& verb = *disk.add_subcommand(
      "drain", "Moves all copies from one disk to others; 'undrain' stops it");
  auto options = std::make_shared<DrainOptions>();
  AddDrainOptions(verb, *options);
  AddDiskArgument(verb, options->target);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Drain(*options, console); };
  });
}

}  // namespace cairn

#include "cli/chunkservers.h"
#include "cli/scrub_text.h"
#include "cli/verb.h"

namespace cairn {

namespace {
void PrintScrubs(const Fleet& fleet, const Console& console) {
  Table table({"SERVER", "PASS", "READ", "FOUND", "MENDED", "LOST", "MADE EQUAL",
               "LAST WHOLE PASS"});
  for (const auto& server : fleet.status.chunkservers()) {
    const v1::ScrubProgress& scrub = server.scrub();
    const auto heard = [&fleet](std::string text) { return fleet.led ? std::move(text) : "?"; };
    v1::ScrubProgress pass;
    pass.set_total_bytes(scrub.total_bytes());
    pass.set_done_bytes(scrub.done_bytes());
    table.Add({std::to_string(server.server()), heard(scrub.running() ? "ordered" : "paced"),
               heard(ScrubPassText(pass)), heard(std::to_string(scrub.found_blocks())),
               heard(std::to_string(scrub.mended_blocks())),
               heard(std::to_string(server.damaged_chunks())),
               heard(std::to_string(scrub.differing_chunks())), heard(ScrubAgeText(scrub))},
              server.damaged_chunks() > 0 ? Colour::kBad : Colour::kNone);
  }
  table.Print(console);
}

Result<ExitCode> ShowScrubs(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const Fleet fleet, FetchFleet(options));
  if (!options.json) {
    PrintScrubs(fleet, console);
    return ExitCode::kOk;
  }
  std::string list;
  for (const auto& server : fleet.status.chunkservers()) {
    list += fmt::format("{}{{\"server\":{},\"damaged_chunks\":{},\"scrub\":{}}}",
                        list.empty() ? "" : ",", server.server(), server.damaged_chunks(),
                        ToJson(server.scrub()));
  }
  console.out << fmt::format("{{\"from_leader\":{},\"servers\":[{}]}}", fleet.led, list) << "\n";
  return ExitCode::kOk;
}
}  // namespace

void AddScrubStatusVerb(CLI::App& scrub, Action& chosen) {
  CLI::App& verb =
      *scrub.add_subcommand("status", "How far each chunkserver is, and what it has found");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowScrubs(*options, console); };
  });
}

}  // namespace cairn

#include "cli/verb.h"

namespace cairn {

void AddVersionVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("version", "The version of this program");
  auto json = std::make_shared<bool>(false);
  verb.add_flag("--json", *json, "Answer in JSON");
  verb.callback([&chosen, json] {
    chosen = [json](const Console& console) -> Result<ExitCode> {
      console.out << (*json ? "{\"version\":" + QuoteJson(CAIRN_VERSION) + "}"
                            : std::string("cairn ") + CAIRN_VERSION)
                  << "\n";
      return ExitCode::kOk;
    };
  });
}

}  // namespace cairn

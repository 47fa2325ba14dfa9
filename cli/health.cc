#include "cli/admin_client.h"
#include "cli/verb.h"

namespace cairn {

namespace {
// As Nagios plugins exit.
enum CheckExit { kCheckOk = 0, kCheckWarning = 1, kCheckCritical = 2 };

struct HealthOptions {
  ClusterOptions cluster;
  bool check = false;
};

std::string HealthJson(const v1::GetHealthResponse& health) {
  std::string list;
  for (const auto& item : health.items()) list += (list.empty() ? "" : ",") + ToJson(item);
  return "[" + list + "]";
}

void PrintHealth(const v1::GetHealthResponse& health, const Console& console) {
  if (health.items().empty()) {
    console.out << Paint(console, Colour::kGood, "healthy") << "\n";
    return;
  }
  Table table({"SEVERITY", "CODE", "SUBJECT", "WHAT"});
  for (const auto& item : health.items()) {
    table.Add({item.severity(), item.code(), item.subject(), item.text()},
              item.severity() == "error" ? Colour::kBad : Colour::kWarning);
  }
  table.Print(console);
}

CheckExit Judge(const v1::GetHealthResponse& health) {
  CheckExit worst = kCheckOk;
  for (const auto& item : health.items()) {
    if (item.severity() == "error") return kCheckCritical;
    worst = kCheckWarning;
  }
  return worst;
}

Result<ExitCode> ShowHealth(const HealthOptions& options, const Console& console) {
  v1::GetHealthResponse health;
  const Status status =
      AskCluster(options.cluster, "GetHealth", v1::GetHealthRequest(), health);
  if (options.check && !status.ok()) {
    console.err << "cairn: " << status.message() << "\n";
    return static_cast<ExitCode>(kCheckCritical);
  }
  RETURN_IF_ERROR(status);
  if (options.cluster.json) {
    console.out << HealthJson(health) << "\n";
  } else {
    PrintHealth(health, console);
  }
  return options.check ? static_cast<ExitCode>(Judge(health)) : ExitCode::kOk;
}
}  // namespace

void AddHealthVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb =
      *app.add_subcommand("health", "What is wrong with a cluster; nothing, if all is well");
  auto options = std::make_shared<HealthOptions>();
  AddClusterOptions(verb, options->cluster);
  verb.add_flag("--check", options->check,
                "Exit 0 if all is well, 1 on warnings, 2 on errors or no answer");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowHealth(*options, console); };
  });
}

}  // namespace cairn

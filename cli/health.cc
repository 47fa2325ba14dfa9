#include "cli/admin_client.h"
#include "cli/metaserver_health.h"
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

// Of the metaservers by the word of all, of the rest by the word of the leader.
Result<v1::GetHealthResponse> FetchHealth(const ClusterOptions& options) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const v1::GetHealthRequest request;
  const v1::GetHealthResponse type;
  ASSIGN_OR_RETURN(const Answers answers,
                   AskBest(client, {"GetHealth", &request, &type}, Deadline::After(kSurveyTime)));
  v1::GetHealthResponse health;
  for (v1::HealthItem& item : DiagnoseMetaservers(MakeGroupView(answers.survey))) {
    *health.add_items() = std::move(item);
  }
  if (answers.best().Leads()) {
    health.MergeFrom(*answers.best().answer);
  } else {
    v1::HealthItem& item = *health.add_items();
    item.set_code("META_NOT_ASKED");
    item.set_severity("warning");
    item.set_subject("chunkservers");
    item.set_text("they are not judged: no leader answers here, and only a leader hears them");
  }
  return health;
}

Result<ExitCode> ShowHealth(const HealthOptions& options, const Console& console) {
  const Result<v1::GetHealthResponse> health = FetchHealth(options.cluster);
  if (options.check && !health.has_value()) {
    console.err << "cairn: " << health.error().message() << "\n";
    return static_cast<ExitCode>(kCheckCritical);
  }
  RETURN_IF_ERROR(health);
  if (options.cluster.json) {
    console.out << HealthJson(*health) << "\n";
  } else {
    PrintHealth(*health, console);
  }
  return options.check ? static_cast<ExitCode>(Judge(*health)) : ExitCode::kOk;
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

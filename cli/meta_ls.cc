#include "cli/admin_client.h"
#include "cli/group_view.h"
#include "cli/verb.h"

namespace cairn {

namespace {
Result<ExitCode> ListGroup(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  ASSIGN_OR_RETURN(const Answers answers, AskBest(client, {}, Deadline::After(kSurveyTime)));
  const GroupView group = MakeGroupView(answers.survey);
  if (options.json) {
    console.out << GroupJson(group) << "\n";
  } else {
    PrintGroup(group, console);
    if (group.changing) console.out << "\na change of membership is under way\n";
  }
  return ExitCode::kOk;
}
}  // namespace

void AddMetaLsVerb(CLI::App& meta, Action& chosen) {
  CLI::App& verb = *meta.add_subcommand("ls", "What each metaserver says of itself");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ListGroup(*options, console); };
  });
}

}  // namespace cairn

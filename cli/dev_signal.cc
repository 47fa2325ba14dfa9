#include <csignal>

#include "cli/dev/servers.h"
#include "cli/dev_member_options.h"

namespace cairn {

namespace {
void AddSignalVerb(CLI::App& dev, Action& chosen, const char* name, const char* description,
                   int signal, const char* outcome) {
  CLI::App& verb = *dev.add_subcommand(name, description);
  auto options = std::make_shared<MemberOptions>();
  options->AddTo(verb);
  verb.callback([&chosen, options, signal, outcome] {
    chosen = [options, signal, outcome](const Console& console) -> Result<ExitCode> {
      ASSIGN_OR_RETURN(const DevCluster cluster, options->OpenCluster());
      ASSIGN_OR_RETURN(const DevMember member, options->Find(cluster));
      RETURN_IF_ERROR(SignalMember(cluster, member, signal));
      options->Tell(member, outcome, console);
      return ExitCode::kOk;
    };
  });
}
}  // namespace

void AddDevSignalVerbs(CLI::App& dev, Action& chosen) {
  AddSignalVerb(dev, chosen, "kill", "Ends one process at once (SIGKILL)", SIGKILL, "killed");
  AddSignalVerb(dev, chosen, "pause", "Stops one process in its tracks", SIGSTOP, "paused");
  AddSignalVerb(dev, chosen, "resume", "Lets a paused process go on", SIGCONT, "running");
}

}  // namespace cairn

#include "cli/dev/clients.h"
#include "cli/dev/server_files.h"
#include "cli/dev/servers.h"
#include "cli/dev_member_options.h"

namespace cairn {

namespace {
constexpr Duration kStartTime = std::chrono::seconds(30);
constexpr Duration kSettleTime = std::chrono::milliseconds(500);

// A server that cannot start says so at once: it ends.
Status CheckStays(const DevCluster& cluster, const DevMember& member) {
  const bool ended = WaitUntil(Deadline::After(kSettleTime),
                               [&] { return cluster.State(member) == ProcessState::kDown; });
  return ended ? CheckRuns(cluster, member) : OkStatus();
}

Result<ExitCode> Start(const MemberOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const DevCluster cluster, options.OpenCluster());
  ASSIGN_OR_RETURN(const DevMember member, options.Find(cluster));
  ASSIGN_OR_RETURN(const auto lock, LockDevDirectory(cluster.directory()));
  RETURN_IF_ERROR(CheckNotPaused(cluster, member));
  if (member.role == DevRole::kClient) {
    RETURN_IF_ERROR(StartClient(cluster, member, Deadline::After(kStartTime)));
  } else {
    RETURN_IF_ERROR(WriteServerFiles(cluster));
    RETURN_IF_ERROR(StartServer(cluster, member));
    RETURN_IF_ERROR(CheckStays(cluster, member));
  }
  options.Tell(member, "running", console);
  return ExitCode::kOk;
}
}  // namespace

void AddDevStartVerb(CLI::App& dev, Action& chosen) {
  CLI::App& verb = *dev.add_subcommand("start", "Starts one process that is down");
  auto options = std::make_shared<MemberOptions>();
  options->AddTo(verb);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Start(*options, console); };
  });
}

}  // namespace cairn

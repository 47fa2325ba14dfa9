#include <csignal>
#include <filesystem>

#include "cli/dev/clients.h"
#include "cli/dev/servers.h"
#include "cli/mount_table.h"
#include "cli/verb.h"

namespace cairn {

namespace {
// A mount may hold 256 MiB that it has still to write back; with servers down it cannot.
constexpr Duration kFlushPatience = std::chrono::seconds(65);
constexpr Duration kHopelessPatience = std::chrono::seconds(3);
// Killed, a server starts with a check of its disk instead: worth some waiting.
constexpr Duration kServerPatience = std::chrono::seconds(60);

struct DownOptions {
  std::string directory;
  bool wipe = false;
  bool json = false;
};

// Removing a directory with a mount in it would remove what the mount shows.
Status Wipe(const std::string& directory) {
  for (const MountEntry& mount : ListMounts()) {
    if (mount.mount_point == directory || mount.mount_point.starts_with(directory + "/")) {
      return Status::Error(ErrorCode::kBusy, "{} is not removed: {} is still mounted", directory,
                           mount.mount_point);
    }
  }
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) return Status::Error(ErrorCode::kIoError, "remove {}: {}", directory, error.message());
  return OkStatus();
}

// Clients first, so that they can still write back.
Status StopAll(const DevCluster& cluster, const Teller& tell) {
  const bool hopeful = CanWriteBack(cluster);
  for (const DevMember& server : cluster.Servers()) {
    if (cluster.State(server) == ProcessState::kPaused) {
      RETURN_IF_ERROR(SignalMember(cluster, server, SIGCONT));
    }
  }
  RETURN_IF_ERROR(StopClients(cluster, hopeful ? kFlushPatience : kHopelessPatience, tell));
  return StopServers(cluster, kServerPatience, tell);
}

// What mounts and servers hold is to go anyway: nobody is waited for.
Status KillAll(const DevCluster& cluster) {
  RETURN_IF_ERROR(AbandonClients(cluster));
  return KillServers(cluster);
}

Result<ExitCode> Down(const DownOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const std::string directory,
                   DevDirectory(options.directory, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(const DevCluster before, DevCluster::Open(directory));
  ASSIGN_OR_RETURN(const auto lock, LockDevDirectory(directory));
  ASSIGN_OR_RETURN(const DevCluster cluster, DevCluster::Open(directory));
  const auto tell = [&](const std::string& text) { console.err << text << std::endl; };
  RETURN_IF_ERROR(options.wipe ? KillAll(cluster) : StopAll(cluster, tell));
  if (options.wipe) RETURN_IF_ERROR(Wipe(directory));
  if (options.json) {
    console.out << "{\"directory\":" << QuoteJson(directory)
                << ",\"wiped\":" << (options.wipe ? "true" : "false") << "}\n";
  } else {
    console.out << directory << (options.wipe ? " is gone\n" : " is down\n");
  }
  return ExitCode::kOk;
}
}  // namespace

void AddDevDownVerb(CLI::App& dev, Action& chosen) {
  CLI::App& verb = *dev.add_subcommand("down", "Unmounts and ends a cluster; no process is left");
  auto options = std::make_shared<DownOptions>();
  verb.add_option("--dir", options->directory, "Directory of the dev cluster");
  verb.add_flag("--wipe", options->wipe, "Then remove the directory and all data in it");
  verb.add_flag("--json", options->json, "Answer in JSON");
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return Down(*options, console); };
  });
}

}  // namespace cairn

#include <sstream>

#include "cli/admin_client.h"
#include "cli/chunkservers.h"
#include "cli/dev/dev_cluster.h"
#include "cli/group_view.h"
#include "cli/interruption.h"
#include "cli/repair_text.h"
#include "cli/verb.h"

namespace cairn {

namespace {
// Only a leader hears the chunkservers: what they say is "?" if it is not `led`.
void PrintChunkservers(const v1::GetStatusResponse& status, bool led, const Console& console) {
  const WallTime now = SystemClock().WallNow();
  Table table({"CHUNKSERVER", "HOST", "ADDRESS", "STATE", "USED", "SIZE", "ACTIVE", "SYNCING",
               "BAD BLOCKS"});
  for (const auto& server : status.chunkservers()) {
    const auto heard = [led](std::string text) { return led ? std::move(text) : "?"; };
    table.Add(
        {std::to_string(server.server()), server.host(), FramesText(server),
         heard(ServerStateText(server, now)), heard(FormatBytes(UsedBytes(server))),
         heard(FormatBytes(server.total_bytes())), std::to_string(server.active_groups()),
         std::to_string(server.syncing_groups()), heard(std::to_string(server.checksum_errors()))},
        led ? ServerColour(server, now) : Colour::kNone);
  }
  table.Print(console);
}

void PrintMounts(const v1::GetStatusResponse& status, const Console& console) {
  Table table({"MOUNT", "HOST", "OPEN FILES"});
  for (const auto& session : status.sessions()) {
    table.Add({session.mount_point(), session.host(), std::to_string(session.open_files())});
  }
  if (table.empty()) return;
  console.out << "\n";
  table.Print(console);
}

void PrintPools(const v1::GetStatusResponse& status, const Console& console) {
  Table table({"POOL", "COPIES", "MIN ACTIVE", "CHUNK SIZE", "GROUPS"});
  for (const auto& pool : status.pools()) {
    table.Add({std::to_string(pool.id()), std::to_string(pool.copies()),
               std::to_string(pool.min_active()), FormatBytes(pool.chunk_size()),
               std::to_string(pool.group_count())});
  }
  if (table.empty()) return;
  console.out << "\n";
  table.Print(console);
}

// Of one that does not lead: who it is and how old what it says may be.
std::string Source(const v1::MetaserverStatus& meta) {
  if (meta.role() == "leader" || meta.role() == "unborn") return "";
  return fmt::format("  as seen by metaserver {} ({}), which last heard a leader {:.1f} s ago",
                     meta.server(), meta.role(),
                     static_cast<double>(meta.leader_silent_ms()) / 1000);
}

std::string GroupsText(const v1::GetStatusResponse& status, bool led) {
  if (!led) return "not known without a leader";
  return fmt::format("{} full, {} reduced, {} unavailable", status.full_groups(),
                     status.reduced_groups(), status.unavailable_groups());
}

void PrintStatus(const v1::GetStatusResponse& status, bool led, const GroupView& group,
                 const Console& console) {
  const auto& meta = status.metaserver();
  console.out << fmt::format(
      "cluster {}  version {}{}\nmetaserver {} is {}, term {}, applied {}\n{} inodes, {} in files\n"
      "groups: {}\n\n",
      status.cluster_id().empty() ? "unborn" : status.cluster_id(), status.version(), Source(meta),
      meta.server(), meta.role(), meta.term(), meta.applied_index(), status.inodes(),
      FormatBytes(status.file_bytes()), GroupsText(status, led));
  if (IsUnderWay(status.repair())) console.out << RepairParagraph(status.repair()) << "\n";
  if (!group.members.empty()) {
    PrintGroup(group, console);
    console.out << "\n";
  }
  PrintChunkservers(status, led, console);
  PrintPools(status, console);
  PrintMounts(status, console);
}

struct DevProcess {
  std::string name;
  pid_t pid;
  ProcessState state;
  std::string log;
};

std::vector<DevProcess> DevProcesses(const std::string& directory) {
  std::vector<DevProcess> processes;
  const auto cluster = DevCluster::Open(directory);
  if (!cluster.has_value()) return processes;
  std::vector<DevMember> members = cluster->Servers();
  for (const DevMember& client : cluster->Clients()) members.push_back(client);
  for (const DevMember& member : members) {
    const auto running = cluster->Running(member);
    const bool up = running.has_value() && running->has_value();
    processes.push_back({member.name(), up ? (*running)->pid : 0, cluster->State(member),
                         cluster->LogFile(member)});
  }
  return processes;
}

void PrintProcesses(const std::vector<DevProcess>& processes, const Console& console) {
  if (processes.empty()) return;
  Table table({"PROCESS", "PID", "STATE", "LOG"});
  for (const DevProcess& process : processes) {
    table.Add({process.name, process.pid == 0 ? "-" : std::to_string(process.pid),
               ProcessStateName(process.state), process.log},
              process.state == ProcessState::kRunning ? Colour::kNone : Colour::kBad);
  }
  console.out << "\n";
  table.Print(console);
}

// GetStatusResponse and two more: the metaservers, as 'cairn meta ls' has them, and the processes
// of a dev cluster, none otherwise.
std::string StatusJson(const v1::GetStatusResponse& status, const GroupView& group,
                       const std::vector<DevProcess>& processes) {
  std::string list;
  for (const DevProcess& process : processes) {
    list += fmt::format("{}{{\"name\":{},\"pid\":{},\"state\":{},\"log\":{}}}",
                        list.empty() ? "" : ",", QuoteJson(process.name), process.pid,
                        QuoteJson(ProcessStateName(process.state)), QuoteJson(process.log));
  }
  std::string json = ToJson(status);
  json.pop_back();
  return json + ",\"metaservers\":" + MembersJson(group) + ",\"processes\":[" + list + "]}";
}

struct StatusOptions {
  ClusterOptions cluster;
  bool watch = false;
  int every_s = 1;
};

Result<ExitCode> ShowStatus(const ClusterAccess& access, AdminClient& client, bool json,
                            const Console& console) {
  const std::vector<DevProcess> processes =
      access.directory.empty() ? std::vector<DevProcess>() : DevProcesses(access.directory);
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Result<Answers> answers =
      AskBest(client, {"GetStatus", &request, &type}, Deadline::After(kSurveyTime));
  if (answers.has_value()) {
    const auto& status = static_cast<const v1::GetStatusResponse&>(*answers->best().answer);
    const GroupView group = MakeGroupView(answers->survey);
    if (json) {
      console.out << StatusJson(status, group, processes) << "\n";
      return ExitCode::kOk;
    }
    PrintStatus(status, answers->best().Leads(), group, console);
  }
  if (!json) PrintProcesses(processes, console);
  RETURN_IF_ERROR(answers);
  return ExitCode::kOk;
}

// A picture, or why there is none: whoever watches waits for the next one.
std::string StatusFrame(const ClusterAccess& access, AdminClient& client, bool json,
                        const Console& console) {
  std::ostringstream frame;
  const Result<ExitCode> shown =
      ShowStatus(access, client, json, Console{frame, console.err, console.colour});
  if (!shown.has_value()) {
    frame << (json ? "{\"error\":" + QuoteJson(shown.error().message()) + "}"
                   : "cairn: " + shown.error().message())
          << "\n";
  }
  return frame.str();
}

Result<ExitCode> WatchStatus(const ClusterAccess& access, AdminClient& client,
                             const StatusOptions& options, const Console& console) {
  const bool json = options.cluster.json;
  const bool redraw = console.colour && !json;
  const Interruption interruption;
  do {
    const std::string frame = StatusFrame(access, client, json, console);
    console.out << (redraw ? "\x1b[H\x1b[J" : "") << frame << (redraw || json ? "" : "\n")
                << std::flush;
    if (!console.out.good()) return ExitCode::kFailed;  // nobody reads on
  } while (!interruption.Rest(std::chrono::seconds(options.every_s)));
  return ExitCode::kInterrupted;
}

Result<ExitCode> RunStatus(const StatusOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options.cluster, LookupEnvironment::OfProcess()));
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  if (options.watch) return WatchStatus(access, client, options, console);
  return ShowStatus(access, client, options.cluster.json, console);
}
}  // namespace

void AddStatusVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("status", "Servers, groups, pools and mounts of a cluster");
  auto options = std::make_shared<StatusOptions>();
  AddClusterOptions(verb, options->cluster);
  CLI::Option* watch = verb.add_flag("--watch", options->watch, "Again and again, until Ctrl-C");
  verb.add_option("--every", options->every_s, "Seconds between two pictures")
      ->needs(watch)
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return RunStatus(*options, console); };
  });
}

}  // namespace cairn

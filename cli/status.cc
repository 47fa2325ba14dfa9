#include "cli/admin_client.h"
#include "cli/dev/dev_cluster.h"
#include "cli/group_view.h"
#include "cli/verb.h"

namespace cairn {

namespace {
std::string StateText(const v1::ChunkserverStatus& server) {
  if (server.up()) return "up";
  return fmt::format("silent {:.1f} s", static_cast<double>(server.silent_ms()) / 1000);
}

// Only a leader hears the chunkservers: what they say is "?" if it is not `led`.
void PrintChunkservers(const v1::GetStatusResponse& status, bool led, const Console& console) {
  Table table({"CHUNKSERVER", "HOST", "ADDRESS", "STATE", "USED", "SIZE", "ACTIVE", "SYNCING",
               "BAD BLOCKS"});
  for (const auto& server : status.chunkservers()) {
    const uint64_t used =
        server.total_bytes() - std::min(server.total_bytes(), server.available_bytes());
    const auto heard = [led](std::string text) { return led ? std::move(text) : "?"; };
    table.Add(
        {std::to_string(server.server()), server.host(),
         fmt::format("{}:{}", server.frames().host(), server.frames().port()),
         heard(StateText(server)), heard(FormatBytes(used)),
         heard(FormatBytes(server.total_bytes())), std::to_string(server.active_groups()),
         std::to_string(server.syncing_groups()), heard(std::to_string(server.checksum_errors()))},
        server.up() || !led ? Colour::kNone : Colour::kBad);
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

Result<ExitCode> ShowStatus(const ClusterOptions& options, const Console& console) {
  ASSIGN_OR_RETURN(const ClusterAccess access,
                   FindCluster(options, LookupEnvironment::OfProcess()));
  const std::vector<DevProcess> processes =
      access.directory.empty() ? std::vector<DevProcess>() : DevProcesses(access.directory);
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Result<Answers> answers =
      AskBest(client, {"GetStatus", &request, &type}, Deadline::After(kSurveyTime));
  if (answers.has_value()) {
    const auto& status = static_cast<const v1::GetStatusResponse&>(*answers->best().answer);
    const GroupView group = MakeGroupView(answers->survey);
    if (options.json) {
      console.out << StatusJson(status, group, processes) << "\n";
      return ExitCode::kOk;
    }
    PrintStatus(status, answers->best().Leads(), group, console);
  }
  if (!options.json) PrintProcesses(processes, console);
  RETURN_IF_ERROR(answers);
  return ExitCode::kOk;
}
}  // namespace

void AddStatusVerb(CLI::App& app, Action& chosen) {
  CLI::App& verb = *app.add_subcommand("status", "Servers, groups, pools and mounts of a cluster");
  auto options = std::make_shared<ClusterOptions>();
  AddClusterOptions(verb, *options);
  verb.callback([&chosen, options] {
    chosen = [options](const Console& console) { return ShowStatus(*options, console); };
  });
}

}  // namespace cairn

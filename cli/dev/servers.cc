#include "cli/dev/servers.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/admin_client.h"
#include "cli/dev/metaservers.h"
#include "cli/survey.h"
#include "client/backoff.h"
#include "common/data_directory.h"

namespace cairn {

namespace {
constexpr size_t kTailLines = 20;
constexpr std::chrono::seconds kSignalTime{10};

bool Reached(ProcessState state, int signal) {
  switch (signal) {
    case SIGSTOP:
      return state != ProcessState::kRunning;
    case SIGCONT:
      return state != ProcessState::kPaused;
    default:
      return state == ProcessState::kDown;
  }
}

struct RunningServer {
  DevMember member;
  ProcessIdentity identity;
};

Result<std::vector<RunningServer>> RunningServers(const DevCluster& cluster) {
  std::vector<RunningServer> running;
  for (const DevMember& member : cluster.Servers()) {
    ASSIGN_OR_RETURN(const auto identity, cluster.Running(member));
    if (identity) running.push_back({member, *identity});
  }
  return running;
}

// What was killed still has to be taken down by the kernel.
Status AwaitKilled(const DevCluster& cluster, const std::vector<RunningServer>& servers) {
  const Deadline deadline = Deadline::After(kSignalTime);
  for (const RunningServer& server : servers) {
    const auto down = [&] { return StateOf(server.identity) == ProcessState::kDown; };
    if (!WaitUntil(deadline, down)) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "{} (pid {}) cannot be ended",
                           server.member.name(), server.identity.pid);
    }
  }
  for (const DevMember& member : cluster.Servers()) {
    (void)PosixFiles().Remove(cluster.PidFile(member));
  }
  return OkStatus();
}

// Those that are known to have failed are not waited for.
int CountGoodDisks(const DevCluster& cluster) {
  int good = 0;
  for (const DevMember& member : cluster.Servers()) {
    if (member.role != DevRole::kChunk) continue;
    for (const std::string& directory : cluster.DiskDirectories(member)) {
      good += IsMarkedFailed(PosixFiles(), directory) ? 0 : 1;
    }
  }
  return good;
}

// Only the leader hears the chunkservers. Each disk counts as one.
Status CheckAllUp(AdminClient& client, int disks, Deadline deadline) {
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  ASSIGN_OR_RETURN(const Answers answers, AskBest(client, {"GetStatus", &request, &type},
                                                  client::Earlier(deadline, kPatientSurveyTime)));
  const MemberAnswer& best = answers.best();
  if (!best.Leads()) return Status(ErrorCode::kUnavailable, "no metaserver leads yet");
  int up = 0;
  const auto& status = static_cast<const v1::GetStatusResponse&>(*best.answer);
  for (const auto& server : status.chunkservers()) up += server.up() ? 1 : 0;
  if (up >= disks) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "{} of {} disks of chunkservers have joined", up,
                       disks);
}

Status AwaitChunkservers(const DevCluster& cluster, AdminClient& client, Deadline deadline) {
  for (;;) {
    RETURN_IF_ERROR(CheckServersRun(cluster));
    const Status up = CheckAllUp(client, CountGoodDisks(cluster), deadline);
    if (up.ok()) return up;
    // One that is paused does not come by waiting.
    for (const DevMember& member : cluster.Servers()) {
      if (member.role == DevRole::kChunk) RETURN_IF_ERROR(CheckNotPaused(cluster, member));
    }
    if (deadline.Left() <= kRest) return up;
    std::this_thread::sleep_for(kRest);
  }
}
}  // namespace

Result<std::string> SiblingProgram(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Fail(ErrorCode::kIoError, "/proc/self/exe: {}", error.message());
  const std::string path = (self.parent_path() / name).string();
  if (::access(path.c_str(), X_OK) != 0) {
    return Fail(ErrorCode::kNotFound, "program {} is missing", path);
  }
  return path;
}

Status StartServer(const DevCluster& cluster, const DevMember& member) {
  ASSIGN_OR_RETURN(const auto running, cluster.Running(member));
  if (running) return OkStatus();
  ASSIGN_OR_RETURN(
      const std::string program,
      SiblingProgram(member.role == DevRole::kMeta ? "cairn-metaserver" : "cairn-chunkserver"));
  return internal::StatusOf(
      SpawnDetached({.arguments = {program, "--config", cluster.ConfigFile(member)},
                     .log_file = cluster.LogFile(member),
                     .pid_file = cluster.PidFile(member)}));
}

std::string LogTail(const DevCluster& cluster, const DevMember& member) {
  std::ifstream log(cluster.LogFile(member));
  std::deque<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > kTailLines) lines.pop_front();
  }
  std::string tail;
  for (const std::string& line : lines) tail += "\n  " + line;
  return tail;
}

Status CheckRuns(const DevCluster& cluster, const DevMember& member) {
  if (cluster.State(member) != ProcessState::kDown) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "{} ended; the end of {}:{}", member.name(),
                       cluster.LogFile(member), LogTail(cluster, member));
}

Status CheckServersRun(const DevCluster& cluster) {
  for (const DevMember& member : cluster.Servers()) RETURN_IF_ERROR(CheckRuns(cluster, member));
  return OkStatus();
}

Status CheckNotPaused(const DevCluster& cluster, const DevMember& member) {
  if (cluster.State(member) != ProcessState::kPaused) return OkStatus();
  return Status::Error(ErrorCode::kBusy, "{0} is paused: 'cairn dev resume {1} {2}{3}'",
                       member.name(), member.kind(), member.number,
                       DirOption(cluster.directory(), LookupEnvironment::OfProcess()));
}

bool CanWriteBack(const DevCluster& cluster) {
  const std::vector<DevMember> servers = cluster.Servers();
  const auto running = [&](DevRole role) {
    return std::count_if(servers.begin(), servers.end(), [&](const DevMember& member) {
      return member.role == role && cluster.State(member) != ProcessState::kDown;
    });
  };
  // The group may have grown since; too much hope costs only time.
  return running(DevRole::kMeta) > cluster.shape().founders / 2 && running(DevRole::kChunk) > 0;
}

Status AwaitCluster(DevCluster& cluster, Deadline deadline, const Teller& warn) {
  ASSIGN_OR_RETURN(const ClusterAccess access, cluster.Access());
  ASSIGN_OR_RETURN(AdminClient client, AdminClient::Open(access));
  for (const DevMember& server : cluster.Servers()) {
    const Status paused = CheckNotPaused(cluster, server);
    if (server.role == DevRole::kMeta && !paused.ok()) warn(paused.message());
  }
  RETURN_IF_ERROR(AwaitMetaservers(cluster, client, deadline, warn));
  return AwaitChunkservers(cluster, client, deadline);
}

Status SignalMember(const DevCluster& cluster, const DevMember& member, int signal) {
  ASSIGN_OR_RETURN(const auto running, cluster.Running(member));
  if (!running) return Status::Error(ErrorCode::kNotFound, "{} is down", member.name());
  RETURN_IF_ERROR(SignalProcess(*running, signal));
  const auto reached = [&] { return Reached(StateOf(*running), signal); };
  if (WaitUntil(Deadline::After(kSignalTime), reached)) return OkStatus();
  return Status::Error(ErrorCode::kDeadlineExceeded, "{} (pid {}) does not heed signal {}",
                       member.name(), running->pid, signal);
}

Status StopServers(const DevCluster& cluster, Duration patience, const Teller& tell) {
  ASSIGN_OR_RETURN(const std::vector<RunningServer> running, RunningServers(cluster));
  // Without clients nothing passes between the roles any more, so none has to wait for another.
  for (const RunningServer& server : running) {
    RETURN_IF_ERROR(SignalIfRunning(server.identity, SIGTERM));
    RETURN_IF_ERROR(SignalIfRunning(server.identity, SIGCONT));
  }
  const Deadline deadline = Deadline::After(patience);
  for (const RunningServer& server : running) {
    if (AwaitEnd(server.member.name(), server.identity, deadline, tell)) continue;
    tell(fmt::format("{} does not end and is killed", server.member.name()));
    RETURN_IF_ERROR(SignalIfRunning(server.identity, SIGKILL));
  }
  return AwaitKilled(cluster, running);
}

Status KillServers(const DevCluster& cluster) {
  ASSIGN_OR_RETURN(const std::vector<RunningServer> running, RunningServers(cluster));
  for (const RunningServer& server : running) {
    RETURN_IF_ERROR(SignalIfRunning(server.identity, SIGKILL));
  }
  return AwaitKilled(cluster, running);
}

}  // namespace cairn

#include "cli/dev/clients.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "cli/certificates.h"
#include "cli/dev/servers.h"
#include "cli/mount_table.h"

namespace cairn {

namespace {
constexpr std::chrono::seconds kProbeTime{2};
constexpr std::chrono::seconds kUnmountBackTime{10};
constexpr std::chrono::seconds kKillTime{10};
constexpr char kClientProgram[] = "cairn-fuse";

// What is on top there is a mount of this cluster.
bool IsMounted(const DevCluster& cluster, const std::string& mount_point) {
  const std::vector<MountEntry> mounts = ListMounts();
  const MountEntry* mount = MountAt(mounts, mount_point);
  return mount != nullptr && mount->type == kCairnMountType && cluster.IsMountSource(mount->source);
}

// All mounts of this cluster at one point, one on top of the other; lazily where files are open.
Status UnmountAt(const DevCluster& cluster, const std::string& mount_point, bool lazy) {
  for (int layer = 0; IsMounted(cluster, mount_point) && layer < 8; ++layer) {
    if (!lazy && Unmount(mount_point, /*lazy=*/false, kUnmountBackTime).ok()) continue;
    RETURN_IF_ERROR(Unmount(mount_point, /*lazy=*/true, kUnmountBackTime));
  }
  return OkStatus();
}

// Everywhere, whoever mounted it; later mounts first, for they may lie inside earlier ones.
Status UnmountAll(const DevCluster& cluster, bool lazy) {
  const std::vector<MountEntry> mounts = ListMounts();
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    RETURN_IF_ERROR(UnmountAt(cluster, mount->mount_point, lazy));
  }
  return OkStatus();
}

Result<std::string> PrepareMountPoint(const DevCluster& cluster, const std::string& path) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  // A mount whose client died can be neither opened nor resolved.
  if (IsMounted(cluster, absolute)) return absolute;
  std::filesystem::create_directories(absolute, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "--mount {}: {}", path, error.message());
  absolute = std::filesystem::canonical(absolute, error).string();
  if (error) return Fail(ErrorCode::kInvalidArgument, "--mount {}: {}", path, error.message());
  if (MountAt(ListMounts(), absolute) != nullptr && !IsMounted(cluster, absolute)) {
    return Fail(ErrorCode::kBusy, "--mount {}: something else is mounted there", path);
  }
  return absolute;
}

// The remembered ones and those that somebody started by hand on this cluster.
Result<std::vector<ProcessIdentity>> RunningClients(const DevCluster& cluster) {
  std::vector<ProcessIdentity> clients;
  for (const DevMember& member : cluster.Clients()) {
    ASSIGN_OR_RETURN(const auto identity, cluster.Running(member));
    if (identity) clients.push_back(*identity);
  }
  const auto ours = [&](const std::string& argument) { return cluster.IsMountSource(argument); };
  for (const RunningProgram& program : FindPrograms(kClientProgram, ours)) {
    if (std::find(clients.begin(), clients.end(), program.identity) == clients.end()) {
      clients.push_back(program.identity);
    }
  }
  return clients;
}

Status SignalAll(const std::vector<ProcessIdentity>& clients, int signal) {
  for (const ProcessIdentity& client : clients) RETURN_IF_ERROR(SignalIfRunning(client, signal));
  return OkStatus();
}

// Of those that run on.
Status KillClients(const DevCluster& cluster, const std::vector<ProcessIdentity>& clients) {
  RETURN_IF_ERROR(SignalAll(clients, SIGKILL));
  const Deadline deadline = Deadline::After(kKillTime);
  for (const ProcessIdentity& client : clients) {
    const auto down = [&] { return StateOf(client) == ProcessState::kDown; };
    if (!WaitUntil(deadline, down)) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "cairn-fuse (pid {}) cannot be ended",
                           client.pid);
    }
  }
  for (const DevMember& member : cluster.Clients()) {
    (void)PosixFiles().Remove(cluster.PidFile(member));
  }
  // One that was just starting may have mounted meanwhile.
  return UnmountAll(cluster, /*lazy=*/true);
}
}  // namespace

std::vector<std::string> MountArguments(const std::string& source, const std::string& mount_point,
                                        const TlsFiles& tls, const std::string& options) {
  std::string all;
  if (!tls.empty()) {
    all = "ca=" + EscapeMountWord(tls.ca) + ",cert=" + EscapeMountWord(tls.certificate) +
          ",key=" + EscapeMountWord(tls.key);
  }
  if (!options.empty()) all += (all.empty() ? "" : ",") + options;
  std::vector<std::string> arguments{source, mount_point};
  if (!all.empty()) arguments.insert(arguments.end(), {"-o", all});
  return arguments;
}

Status RememberMounts(DevCluster& cluster, const std::vector<std::string>& mount_points) {
  Shape shape = cluster.shape();
  for (const std::string& path : mount_points) {
    ASSIGN_OR_RETURN(const std::string absolute, PrepareMountPoint(cluster, path));
    if (std::find(shape.mounts.begin(), shape.mounts.end(), absolute) == shape.mounts.end()) {
      shape.mounts.push_back(absolute);
    }
  }
  return shape.mounts == cluster.shape().mounts ? OkStatus() : cluster.SaveShape(std::move(shape));
}

Status StartClient(const DevCluster& cluster, const DevMember& client, Deadline deadline) {
  const std::string& mount_point = cluster.MountPoint(client);
  ASSIGN_OR_RETURN(const auto running, cluster.Running(client));
  if (!running) {
    RETURN_IF_ERROR(UnmountAt(cluster, mount_point, /*lazy=*/false));
    RETURN_IF_ERROR(PrepareMountPoint(cluster, mount_point));
    ASSIGN_OR_RETURN(const std::string program, SiblingProgram(kClientProgram));
    std::vector<std::string> arguments = MountArguments(
        cluster.MountSource(), mount_point, CertificateFiles(cluster.TlsDirectory(), "client"), "");
    arguments.insert(arguments.begin(), program);
    arguments.push_back("-f");
    RETURN_IF_ERROR(SpawnDetached({.arguments = std::move(arguments),
                                   .log_file = cluster.LogFile(client),
                                   .pid_file = cluster.PidFile(client)}));
  }
  bool down = false;
  const bool answers = WaitUntil(deadline, [&] {
    down = cluster.State(client) == ProcessState::kDown;
    return down || (IsMounted(cluster, mount_point) && MountAnswers(mount_point, kProbeTime));
  });
  if (answers && !down) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "{} {}; the end of {}:{}", mount_point,
                       down ? "was not mounted" : "does not answer", cluster.LogFile(client),
                       LogTail(cluster, client));
}

Status StopClients(const DevCluster& cluster, Duration patience, const Teller& tell) {
  ASSIGN_OR_RETURN(const std::vector<ProcessIdentity> clients, RunningClients(cluster));
  RETURN_IF_ERROR(SignalAll(clients, SIGCONT));
  RETURN_IF_ERROR(UnmountAll(cluster, /*lazy=*/false));
  // One that still serves open files goes on until told to end; one that writes back already passes
  // this signal over.
  RETURN_IF_ERROR(SignalAll(clients, SIGTERM));
  const Deadline deadline = Deadline::After(patience);
  for (const ProcessIdentity& client : clients) {
    if (AwaitEnd("a mount that writes back", client, deadline, tell)) continue;
    tell(fmt::format("the mount of pid {} is ended, what it still held is lost", client.pid));
  }
  return KillClients(cluster, clients);
}

Status AbandonClients(const DevCluster& cluster) {
  ASSIGN_OR_RETURN(const std::vector<ProcessIdentity> clients, RunningClients(cluster));
  RETURN_IF_ERROR(UnmountAll(cluster, /*lazy=*/true));
  return KillClients(cluster, clients);
}

}  // namespace cairn

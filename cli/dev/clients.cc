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
constexpr std::chrono::seconds kUnmountTime{10};
constexpr char kClientProgram[] = "cairn-fuse";

bool IsOurMount(const std::string& mount_point) {
  const std::vector<MountEntry> mounts = ListMounts();
  const MountEntry* mount = MountAt(mounts, mount_point);
  return mount != nullptr && mount->type == kCairnMountType;
}

// All that can be mounted at one point, one on top of the other. Answers whether files are still
// open there, so that the client goes on serving them.
Result<bool> UnmountAll(const std::string& mount_point) {
  bool busy = false;
  for (int layer = 0; IsOurMount(mount_point) && layer < 8; ++layer) {
    if (Unmount(mount_point, /*lazy=*/false, kUnmountTime).ok()) continue;
    RETURN_IF_ERROR(Unmount(mount_point, /*lazy=*/true, kUnmountTime));
    busy = true;
  }
  return busy;
}

// A process that ended by itself meanwhile is as good as signalled.
Status SignalIfRunning(const ProcessIdentity& identity, int signal) {
  const Status status = SignalProcess(identity, signal);
  return status.code() == ErrorCode::kNotFound ? OkStatus() : status;
}

Result<std::string> PrepareMountPoint(const std::string& path) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  // A mount whose client died can be neither opened nor resolved.
  if (IsOurMount(absolute)) return absolute;
  std::filesystem::create_directories(absolute, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "--mount {}: {}", path, error.message());
  absolute = std::filesystem::canonical(absolute, error).string();
  if (error) return Fail(ErrorCode::kInvalidArgument, "--mount {}: {}", path, error.message());
  const std::vector<MountEntry> mounts = ListMounts();
  if (MountAt(mounts, absolute) != nullptr && !IsOurMount(absolute)) {
    return Fail(ErrorCode::kBusy, "--mount {}: something else is mounted there", path);
  }
  return absolute;
}

struct Client {
  std::string mount_point;
  ProcessIdentity identity;
};

// The remembered ones and those that somebody started by hand on this cluster.
Result<std::vector<Client>> RunningClients(const DevCluster& cluster) {
  std::vector<Client> clients;
  for (const DevMember& member : cluster.Clients()) {
    ASSIGN_OR_RETURN(const auto identity, cluster.Running(member));
    if (identity) clients.push_back({cluster.MountPoint(member), *identity});
  }
  for (RunningProgram& program : FindPrograms(kClientProgram, cluster.MountSource())) {
    const bool known = std::any_of(clients.begin(), clients.end(), [&](const Client& client) {
      return client.identity == program.identity;
    });
    if (!known && program.arguments.size() > 2) {
      clients.push_back({program.arguments[2], program.identity});
    }
  }
  return clients;
}

Status EndClient(const ProcessIdentity& identity, Deadline deadline) {
  const auto down = [&] { return StateOf(identity) == ProcessState::kDown; };
  if (WaitUntil(deadline, down)) return OkStatus();
  for (const int signal : {SIGTERM, SIGKILL}) {
    RETURN_IF_ERROR(SignalIfRunning(identity, signal));
    if (WaitUntil(Deadline::After(std::chrono::seconds(5)), down)) return OkStatus();
  }
  return Status::Error(ErrorCode::kDeadlineExceeded, "cairn-fuse (pid {}) cannot be ended",
                       identity.pid);
}
}  // namespace

std::vector<std::string> MountArguments(const std::string& source, const std::string& mount_point,
                                        const TlsFiles& tls, const std::string& options) {
  std::string all;
  if (!tls.empty()) {
    all = "ca=" + tls.ca + ",cert=" + tls.certificate + ",key=" + tls.key;
  }
  if (!options.empty()) all += (all.empty() ? "" : ",") + options;
  std::vector<std::string> arguments{source, mount_point};
  if (!all.empty()) arguments.insert(arguments.end(), {"-o", all});
  return arguments;
}

Status RememberMounts(DevCluster& cluster, const std::vector<std::string>& mount_points) {
  Shape shape = cluster.shape();
  for (const std::string& path : mount_points) {
    ASSIGN_OR_RETURN(const std::string absolute, PrepareMountPoint(path));
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
    RETURN_IF_ERROR(UnmountAll(mount_point));
    RETURN_IF_ERROR(PrepareMountPoint(mount_point));
    ASSIGN_OR_RETURN(const std::string program, SiblingProgram(kClientProgram));
    std::vector<std::string> arguments =
        MountArguments(cluster.MountSource(), mount_point,
                       CertificateFiles(cluster.TlsDirectory(), "client"), "");
    arguments.insert(arguments.begin(), program);
    arguments.push_back("-f");
    RETURN_IF_ERROR(SpawnDetached({.arguments = std::move(arguments),
                                   .log_file = cluster.LogFile(client),
                                   .pid_file = cluster.PidFile(client)}));
  }
  bool down = false;
  const bool answers = WaitUntil(deadline, [&] {
    down = cluster.State(client) == ProcessState::kDown;
    return down || (IsOurMount(mount_point) && MountAnswers(mount_point, kProbeTime));
  });
  if (answers && !down) return OkStatus();
  return Status::Error(ErrorCode::kUnavailable, "{} {}; the end of {}:{}", mount_point,
                       down ? "was not mounted" : "does not answer", cluster.LogFile(client),
                       LogTail(cluster, client));
}

Status StopClients(const DevCluster& cluster, Duration patience) {
  ASSIGN_OR_RETURN(const std::vector<Client> clients, RunningClients(cluster));
  for (const Client& client : clients) RETURN_IF_ERROR(SignalIfRunning(client.identity, SIGCONT));
  for (const Client& client : clients) {
    ASSIGN_OR_RETURN(const bool busy, UnmountAll(client.mount_point));
    // Told to end it writes back and leaves. One that was unmounted does so by itself, and a signal
    // could cut it short.
    if (busy) RETURN_IF_ERROR(SignalIfRunning(client.identity, SIGTERM));
  }
  const Deadline deadline = Deadline::After(patience);
  for (const Client& client : clients) RETURN_IF_ERROR(EndClient(client.identity, deadline));
  for (const DevMember& member : cluster.Clients()) {
    const std::string& mount_point = cluster.MountPoint(member);
    // Left by a client that had died; a living one there belongs to another cluster.
    if (FindPrograms(kClientProgram, mount_point).empty()) RETURN_IF_ERROR(UnmountAll(mount_point));
    (void)PosixFiles().Remove(cluster.PidFile(member));
  }
  return OkStatus();
}

}  // namespace cairn

#include "cli/dev/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "common/boot_id.h"
#include "common/file.h"

namespace cairn {

namespace {
constexpr std::chrono::milliseconds kPollInterval{20};
constexpr std::chrono::seconds kSilentWait{2};

struct ProcStat {
  char state = 'X';
  uint64_t start_time = 0;
};

// The second field is the program's name in parentheses and may hold anything; the rest is numbers.
std::optional<ProcStat> ReadProcStat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcStat stat;
  std::string skipped;
  fields >> stat.state;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  if (!(fields >> stat.start_time)) return std::nullopt;
  return stat;
}

std::vector<std::string> ArgumentsOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

// Its own words may say anything: a link, or mount(8), starts it under another name.
std::string ExecutableName(pid_t pid) {
  constexpr std::string_view kReplaced = " (deleted)";  // by a newer build
  std::error_code error;
  std::string path =
      std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error).string();
  if (path.ends_with(kReplaced)) path.resize(path.size() - kReplaced.size());
  return std::filesystem::path(path).filename().string();
}

std::optional<pid_t> ParsePid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}
}  // namespace

const char* ProcessStateName(ProcessState state) {
  switch (state) {
    case ProcessState::kDown:
      return "down";
    case ProcessState::kRunning:
      return "running";
    case ProcessState::kPaused:
      return "paused";
  }
  return "unknown";
}

Result<std::optional<ProcessIdentity>> LoadPidFile(const std::string& path) {
  if (!PosixFiles().Exists(path)) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, LoadFile(PosixFiles(), path));
  std::istringstream fields(text);
  ProcessIdentity identity;
  if (!(fields >> identity.pid >> identity.start_time >> identity.boot_id) || identity.pid <= 0) {
    return Fail(ErrorCode::kCorruption, "{} is not a pid file", path);
  }
  return identity;
}

Status StorePidFile(const std::string& path, const ProcessIdentity& identity) {
  return ReplaceFile(
      PosixFiles(), path,
      fmt::format("{} {} {}\n", identity.pid, identity.start_time, identity.boot_id));
}

Result<ProcessIdentity> IdentityOf(pid_t pid) {
  const auto stat = ReadProcStat(pid);
  if (!stat) return Fail(ErrorCode::kNotFound, "no process {}", pid);
  return ProcessIdentity{pid, stat->start_time, BootId()};
}

ProcessState StateOf(const ProcessIdentity& identity) {
  const auto stat = ReadProcStat(identity.pid);
  if (!stat || stat->start_time != identity.start_time || identity.boot_id != BootId() ||
      stat->state == 'Z' || stat->state == 'X') {
    return ProcessState::kDown;
  }
  return stat->state == 'T' ? ProcessState::kPaused : ProcessState::kRunning;
}

Status SignalProcess(const ProcessIdentity& identity, int signal) {
  // The descriptor pins the process: what StateOf() then finds under the pid is what is signalled.
  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0));
  const bool pinned = descriptor >= 0;
  int error = pinned || errno == ENOSYS ? 0 : errno;
  if (error == 0 && StateOf(identity) == ProcessState::kDown) error = ESRCH;
  if (error == 0) {
    const long sent = pinned ? ::syscall(SYS_pidfd_send_signal, descriptor, signal, nullptr, 0)
                             : ::kill(identity.pid, signal);
    if (sent != 0) error = errno;
  }
  if (pinned) ::close(descriptor);
  if (error == 0) return OkStatus();
  if (error == ESRCH) {
    return Status::Error(ErrorCode::kNotFound, "process {} is gone", identity.pid);
  }
  return Status::FromErrno(error, fmt::format("signal {} to process {}", signal, identity.pid));
}

Status SignalIfRunning(const ProcessIdentity& identity, int signal) {
  const Status status = SignalProcess(identity, signal);
  return status.code() == ErrorCode::kNotFound ? OkStatus() : status;
}

bool WaitUntil(Deadline deadline, const std::function<bool()>& condition) {
  while (!condition()) {
    if (deadline.Passed()) return condition();
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

bool AwaitEnd(const std::string& name, const ProcessIdentity& identity, Deadline deadline,
              const Teller& tell) {
  const auto down = [&] { return StateOf(identity) == ProcessState::kDown; };
  if (WaitUntil(Deadline::After(std::min<Duration>(kSilentWait, deadline.Left())), down)) {
    return true;
  }
  tell(fmt::format("waiting for {} (pid {}) to end, {} s at most", name, identity.pid,
                   std::chrono::duration_cast<std::chrono::seconds>(deadline.Left()).count()));
  return WaitUntil(deadline, down);
}

std::vector<RunningProgram> FindPrograms(const std::string& name,
                                         const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<RunningProgram> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto pid = ParsePid(entry.path().filename().string());
    if (!pid) continue;
    if (ExecutableName(*pid) != name) continue;
    std::vector<std::string> arguments = ArgumentsOf(*pid);
    if (std::none_of(arguments.begin(), arguments.end(), is_wanted)) continue;
    const auto identity = IdentityOf(*pid);
    if (identity.has_value()) found.push_back({*identity, std::move(arguments)});
  }
  return found;
}

}  // namespace cairn

// Processes of a dev cluster: started apart from us, remembered in pid files, signalled only when
// they are surely the ones we started.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// A pid alone may belong to another process by now; with its start time and boot it cannot.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_time = 0;  // clock ticks after boot, field 22 of /proc/PID/stat
  std::string boot_id;
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

enum class ProcessState { kDown, kRunning, kPaused };
const char* ProcessStateName(ProcessState state);

// Pid file: "PID START_TIME BOOT_ID\n". An absent file is no identity; one that does not parse is
// kCorruption.
Result<std::optional<ProcessIdentity>> LoadPidFile(const std::string& path);
Status StorePidFile(const std::string& path, const ProcessIdentity& identity);

// kNotFound: no such process.
Result<ProcessIdentity> IdentityOf(pid_t pid);
// A zombie is down, and so is a process that merely has the same pid.
ProcessState StateOf(const ProcessIdentity& identity);

// Never reaches another process. kNotFound: it is gone.
Status SignalProcess(const ProcessIdentity& identity, int signal);
// One that ended by itself meanwhile is as good as signalled.
Status SignalIfRunning(const ProcessIdentity& identity, int signal);

struct SpawnRequest {
  std::vector<std::string> arguments;  // the first is the program's path
  std::string log_file;                // appended to: standard output and error
  std::string pid_file;
};

// Starts the program in a session of its own, in "/", reading /dev/null. The pid file is on disk
// before the program runs, so no process is ever left that nobody knows. Fails when it cannot be
// executed.
Result<ProcessIdentity> SpawnDetached(const SpawnRequest& request);

// Runs `work` in a child process and answers its exit code; a child that is still busy after `time`
// is killed and abandoned (kDeadlineExceeded), so that a dead mount cannot hang us. `work` may only
// make system calls: other threads' locks are held for ever in the child.
Result<int> RunApart(const std::function<int()>& work, Duration time);

// Polls until true or the deadline; answers the last value.
bool WaitUntil(Deadline deadline, const std::function<bool()>& condition);

// Gets a sentence for whoever waits.
using Teller = std::function<void(const std::string&)>;
// Waits for the process, `name` in words, to end; tells once when that takes a while. False: it
// still runs at the deadline.
bool AwaitEnd(const std::string& name, const ProcessIdentity& identity, Deadline deadline,
              const Teller& tell);

// Of all processes whose executable file is called `name`, whatever they call themselves, those
// that have an argument that `is_wanted`, each with all its arguments.
struct RunningProgram {
  ProcessIdentity identity;
  std::vector<std::string> arguments;
};
std::vector<RunningProgram> FindPrograms(
    const std::string& name, const std::function<bool(const std::string&)>& is_wanted);

}  // namespace cairn

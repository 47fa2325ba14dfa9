// SpawnDetached and RunApart of process.h: the two that fork. Between fork and exec only system
// calls are made, because another thread may have held any lock.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "cli/dev/process.h"
#include "common/descriptor.h"

namespace cairn {

namespace {
struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Fail(Status::FromErrno(errno, "pipe"));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// In the child. Waits for the parent's word, then becomes the program; reports errno if it cannot.
[[noreturn]] void BecomeProgram(const Pipe& word, const Pipe& failure, int log, int null,
                                char* const* arguments) {
  char byte = 0;
  if (::read(word.read.get(), &byte, 1) != 1) ::_exit(1);  // the parent died: nobody knows of us
  ::setsid();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") == 0 && ::dup2(null, 0) == 0 && ::dup2(log, 1) == 1 && ::dup2(log, 2) == 2) {
    // Whatever a library left open without close-on-exec stays ours.
    ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    ::execv(arguments[0], arguments);
  }
  const int error = errno;
  (void)!::write(failure.write.get(), &error, sizeof error);
  ::_exit(1);
}

Status AwaitExec(pid_t child, Pipe& failure, const std::string& program) {
  failure.write = Descriptor();
  int error = 0;
  if (::read(failure.read.get(), &error, sizeof error) != sizeof error) return OkStatus();
  ::waitpid(child, nullptr, 0);
  return Status::FromErrno(error, "start " + program);
}
}  // namespace

Result<ProcessIdentity> SpawnDetached(const SpawnRequest& request) {
  ASSIGN_OR_RETURN(Pipe word, MakePipe());
  ASSIGN_OR_RETURN(Pipe failure, MakePipe());
  const Descriptor log(
      ::open(request.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) return Fail(Status::FromErrno(errno, "open " + request.log_file));
  const Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null.get() < 0) return Fail(Status::FromErrno(errno, "open /dev/null"));
  std::vector<char*> arguments;
  for (const std::string& argument : request.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) return Fail(Status::FromErrno(errno, "fork"));
  if (child == 0) {
    word.write = Descriptor();  // else the child would keep its own parent's word open
    BecomeProgram(word, failure, log.get(), null.get(), arguments.data());
  }
  Result<ProcessIdentity> identity = IdentityOf(child);
  const Status stored =
      identity.has_value() ? StorePidFile(request.pid_file, *identity) : identity.error();
  if (!stored.ok() || ::write(word.write.get(), "!", 1) != 1) {
    word.write = Descriptor();
    ::waitpid(child, nullptr, 0);
    return Fail(stored);
  }
  RETURN_IF_ERROR(AwaitExec(child, failure, request.arguments[0]));
  return identity;
}

Result<int> RunApart(const std::function<int()>& work, Duration time) {
  const Deadline deadline = Deadline::After(time);
  const pid_t child = ::fork();
  if (child < 0) return Fail(Status::FromErrno(errno, "fork"));
  if (child == 0) ::_exit(work());
  int status = 0;
  const bool ended = WaitUntil(deadline, [&] { return ::waitpid(child, &status, WNOHANG) != 0; });
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, WNOHANG);
    return Fail(ErrorCode::kDeadlineExceeded, "no answer within {} ms",
                std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace cairn

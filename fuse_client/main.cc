// cairn-fuse SOURCE MOUNTPOINT [-f] [-o options]: mounts a cluster. Called mount.cairn it is a
// helper of mount(8), with that program's flags and exit codes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "common/exit_code.h"
#include "common/logging.h"
#include "common/mutex_checks.h"
#include "fuse_client/background.h"
#include "fuse_client/mount_options.h"
#include "fuse_client/mount_session.h"

namespace cairn {

namespace {

// Of mount(8).
constexpr int kMountUsage = 1;
constexpr int kMountFailed = 32;

struct CommandLine {
  bool helper = false;  // called by mount(8)
  std::string source;
  std::string mount_point;
  std::vector<std::string> options;
  bool foreground = false;
  bool fake = false;
  bool from_mount = false;
};

bool IsMountHelper(const char* program) {
  return std::filesystem::path(program).filename() == "mount.cairn";
}

int UsageCode(const CommandLine& line) {
  return line.helper ? kMountUsage : static_cast<int>(ExitCode::kUsage);
}

int FailureCode(const CommandLine& line, const Status& status) {
  return line.helper ? kMountFailed : static_cast<int>(ExitCodeOf(status));
}

void Describe(CLI::App& app, CommandLine& line) {
  app.add_option("source", line.source, "HOST[:PORT][,HOST[:PORT]...] or unix:/PATH")->required();
  app.add_option("mount_point", line.mount_point, "an existing directory")->required();
  app.add_option("-o", line.options, "comma-separated mount options");
  app.add_flag(line.helper ? "--foreground" : "-f,--foreground", line.foreground,
               "do not go into the background");
  // mount(8) passes these to every helper.
  app.add_flag("-s,-n,-v", line.from_mount, "accepted from mount(8)");
  if (line.helper) app.add_flag("-f", line.fake, "check the arguments, mount nothing");
}

// After chdir("/") a relative path would name something else.
Result<std::string> ResolveMountPoint(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                       &std::free);
  if (resolved == nullptr) return Fail(Status::FromErrno(errno, "mount point " + path));
  return std::string(resolved.get());
}

Result<MountArguments> Prepare(const CommandLine& line) {
  std::string joined;
  for (const std::string& word : line.options) joined += (joined.empty() ? "" : ",") + word;
  ASSIGN_OR_RETURN(MountArguments arguments, ParseMountArguments(line.source, joined));
  ASSIGN_OR_RETURN(arguments.mount.mount_point, ResolveMountPoint(line.mount_point));
  arguments.log.name = "cairn-fuse";
  ResolvePaths(arguments, std::filesystem::current_path());
  return arguments;
}

Status Run(MountArguments arguments, const std::string& source,
           fuse::BackgroundStart& background) {
  RETURN_IF_ERROR(InitLogging(arguments.log));
  if (!arguments.tls.empty()) {
    ASSIGN_OR_RETURN(arguments.mount.tls, TlsContext::Load(arguments.tls));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<MountedFileSystem> files,
                   MountedFileSystem::Mount(arguments.mount));
  const std::string& mount_point = arguments.mount.mount_point;
  LOG_INFO("mounting mount_point={} pid={}", mount_point, getpid());
  const auto answering = [&] {
    LOG_INFO("mounted mount_point={}", mount_point);
    background.TellSuccess();
  };
  RETURN_IF_ERROR(fuse::ServeMount(*files, {source, mount_point, arguments.kernel, answering}));
  LOG_INFO("unmounted, writing back mount_point={}", mount_point);
  return files->FlushAll(Deadline::After(arguments.mount.timeout));
}

int Main(const CommandLine& line) {
  Result<MountArguments> arguments = Prepare(line);
  if (!arguments.has_value()) {
    std::fprintf(stderr, "cairn-fuse: %s\n", arguments.error().ToString().c_str());
    return line.helper ? kMountUsage : FailureCode(line, arguments.error());
  }
  if (line.fake) return 0;
  fuse::BackgroundStart background(
      [&line](const Status& reason) { return FailureCode(line, reason); });
  Status status = line.foreground ? OkStatus() : background.Detach();
  if (status.ok()) status = Run(std::move(*arguments), line.source, background);
  return status.ok() ? 0 : background.TellFailure(status);
}

}  // namespace

}  // namespace cairn

int main(int argc, char** argv) {
  cairn::SkipLockOrderChecks();
  // Left to libfuse it would be deadly again as soon as the session ends, before the last flush.
  signal(SIGPIPE, SIG_IGN);
  CLI::App app("Mounts a Cairn cluster as a local directory.");
  cairn::CommandLine line;
  line.helper = cairn::IsMountHelper(argv[0]);
  cairn::Describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : cairn::UsageCode(line);
  }
  return cairn::Main(line);
}

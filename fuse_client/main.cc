// cairn-fuse SOURCE MOUNTPOINT [-f] [-o options]: mounts a cluster. Also called mount.cairn by
// mount(8).
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <climits>
#include <cstdlib>

#include "common/logging.h"
#include "fuse_client/background.h"
#include "fuse_client/mount_options.h"
#include "fuse_client/mount_session.h"

namespace cairn {

namespace {

struct CommandLine {
  std::string source;
  std::string mount_point;
  std::vector<std::string> options;
  bool foreground = false;
  bool from_mount = false;
};

void Describe(CLI::App& app, CommandLine& line) {
  app.add_option("source", line.source, "HOST[:PORT][,HOST[:PORT]...] or unix:/PATH")->required();
  app.add_option("mount_point", line.mount_point, "an existing directory")->required();
  app.add_option("-o", line.options, "comma-separated mount options");
  app.add_flag("-f,--foreground", line.foreground, "do not go into the background");
  // mount(8) passes these to every helper.
  app.add_flag("-s,-n,-v", line.from_mount, "accepted from mount(8)");
}

// After chdir("/") a relative mount point would name something else.
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
  return arguments;
}

Status Run(MountArguments arguments, fuse::BackgroundStart& background) {
  RETURN_IF_ERROR(InitLogging(arguments.log));
  if (!arguments.tls.empty()) {
    ASSIGN_OR_RETURN(arguments.mount.tls, TlsContext::Load(arguments.tls));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<MountedFileSystem> files,
                   MountedFileSystem::Mount(arguments.mount));
  const std::string& mount_point = arguments.mount.mount_point;
  LOG_INFO("mounting mount_point={} pid={}", mount_point, getpid());
  RETURN_IF_ERROR(fuse::ServeMount(*files, {mount_point, arguments.kernel, [&] {
                                              LOG_INFO("mounted mount_point={}", mount_point);
                                              background.TellSuccess();
                                            }}));
  LOG_INFO("unmounted, writing back mount_point={}", mount_point);
  return files->FlushAll(Deadline::After(arguments.mount.timeout));
}

int Main(const CommandLine& line) {
  Result<MountArguments> arguments = Prepare(line);
  if (!arguments.has_value()) {
    std::fprintf(stderr, "cairn-fuse: %s\n", arguments.error().ToString().c_str());
    return fuse::kExitUsage;
  }
  fuse::BackgroundStart background;
  Status status = line.foreground ? OkStatus() : background.Detach();
  if (status.ok()) status = Run(std::move(*arguments), background);
  if (status.ok()) return 0;
  background.TellFailure(status);
  return fuse::kExitMountFailed;
}

}  // namespace

}  // namespace cairn

int main(int argc, char** argv) {
  CLI::App app("Mounts a Cairn cluster as a local directory.");
  cairn::CommandLine line;
  cairn::Describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : cairn::fuse::kExitUsage;
  }
  return cairn::Main(line);
}

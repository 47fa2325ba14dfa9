// cairn-metaserver --config FILE: runs in the foreground until SIGTERM or SIGINT.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/file.h"
#include "common/logging.h"
#include "common/mutex_checks.h"
#include "metaserver/metaserver_config.h"
#include "metaserver/server.h"

namespace cairn {
namespace {

// Blocked in all threads from now on; taken by sigwait.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

Status Run(const std::string& config_file) {
  const sigset_t signals = BlockSignals();
  RaiseFileLimit();
  ASSIGN_OR_RETURN(const std::string text, LoadFile(PosixFiles(), config_file));
  ASSIGN_OR_RETURN(const MetaserverConfig config, ParseMetaserverConfig(config_file, text));
  RETURN_IF_ERROR(InitLogging(config.log));
  std::atomic<bool> failed = false;
  Status reason;
  ASSIGN_OR_RETURN(const std::unique_ptr<Metaserver> server,
                   Metaserver::Start(config, [&](const Status& status) {
                     reason = status;
                     failed = true;
                     kill(getpid(), SIGTERM);
                   }));
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  if (failed) {
    LOG_ERROR("stopping because of a failure reason={}", reason);
    std::fprintf(stderr, "cairn-metaserver: %s\n", reason.ToString().c_str());
    std::_Exit(EXIT_FAILURE);  // to stop in good order would ask the disk again
  }
  LOG_INFO("stopping signal={}", signal_number);
  return server->Stop();
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  cairn::SkipLockOrderChecks();
  CLI::App app("Cairn metaserver: keeps the namespace and the cluster map");
  std::string config_file;
  app.add_option("--config", config_file, "metaserver.toml")->required();
  CLI11_PARSE(app, argc, argv);
  const cairn::Status status = cairn::Run(config_file);
  if (status.ok()) return 0;
  std::fprintf(stderr, "cairn-metaserver: %s\n", status.ToString().c_str());
  return 1;
}

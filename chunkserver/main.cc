// cairn-chunkserver --config FILE: runs in the foreground until SIGTERM or SIGINT.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <string>

#include "chunkserver/chunkserver_config.h"
#include "chunkserver/server.h"
#include "common/file.h"
#include "common/logging.h"
#include "common/mutex_checks.h"

namespace cairn {
namespace {

// Blocked in all threads from now on; taken by WaitForSignal().
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
  ASSIGN_OR_RETURN(const ChunkserverConfig config, ParseChunkserverConfig(config_file, text));
  RETURN_IF_ERROR(InitLogging(config.log));
  std::atomic<bool> refused = false;
  Status reason;
  ASSIGN_OR_RETURN(const std::unique_ptr<Chunkserver> server,
                   Chunkserver::Start(config, [&](const Status& status) {
                     LOG_ERROR("the cluster refuses this server reason={}", status);
                     reason = status;
                     refused = true;
                     kill(getpid(), SIGTERM);
                   }));
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  const Status stopped = server->Stop();
  return refused ? reason : stopped;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  cairn::SkipLockOrderChecks();
  CLI::App app("Cairn chunkserver: stores and replicates chunks on its disks");
  std::string config_file;
  app.add_option("--config", config_file, "chunkserver.toml")->required();
  CLI11_PARSE(app, argc, argv);
  const cairn::Status status = cairn::Run(config_file);
  if (status.ok()) return 0;
  std::fprintf(stderr, "cairn-chunkserver: %s\n", status.ToString().c_str());
  return 1;
}

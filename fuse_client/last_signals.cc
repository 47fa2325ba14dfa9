#include "fuse_client/last_signals.h"

#include <csignal>

namespace cairn::fuse {

void PassOverOneSignal() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
}

}  // namespace cairn::fuse

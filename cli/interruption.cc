#include "cli/interruption.h"

#include <algorithm>
#include <thread>

#include "cli/survey.h"

namespace cairn {

namespace {
// A signal handler reaches nothing else.
volatile std::sig_atomic_t interrupted = 0;

void NoteInterrupt(int) {
  interrupted = 1;
}
}  // namespace

Interruption::Interruption() {
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = NoteInterrupt;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &before_);
}

Interruption::~Interruption() {
  ::sigaction(SIGINT, &before_, nullptr);
}

bool Interruption::Rest(Duration time) const {
  const Deadline deadline = Deadline::After(time);
  while (interrupted == 0 && !deadline.Passed()) {
    std::this_thread::sleep_for(std::min<Duration>(kRest, deadline.Left()));
  }
  return interrupted != 0;
}

}  // namespace cairn

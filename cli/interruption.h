// Ctrl-C for verbs that wait and have something to say at the end.
#pragma once

#include <csignal>

#include "common/clock.h"

namespace cairn {

// While it lives, SIGINT does not end the process: the next Rest() ends early instead. At most one
// lives at a time; whoever waits in a call notices it when the call is over.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // True: interrupted, before or during the rest.
  bool Rest(Duration time) const;

 private:
  struct sigaction before_ {};
};

}  // namespace cairn

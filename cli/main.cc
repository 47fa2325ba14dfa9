// cairn: the command line.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/app.h"

namespace {
void Interrupted(int) {
  _exit(static_cast<int>(cairn::ExitCode::kInterrupted));
}
}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, Interrupted);
  // What gRPC has to say about a server that is down, we say in one line.
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  const cairn::Console console{std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1};
  return static_cast<int>(cairn::RunCairn({argv + 1, argv + argc}, console));
}

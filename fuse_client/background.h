// Going into the background so that the command line learns whether the mount was really made.
#pragma once

#include <functional>
#include <string>

#include "common/status.h"

namespace cairn::fuse {

// Confined to the main thread until a method says otherwise.
class BackgroundStart {
 public:
  // `exit_code`: what the caller of this program takes a failure for; 1 to 255.
  explicit BackgroundStart(std::function<int(const Status&)> exit_code)
      : exit_code_(std::move(exit_code)) {}

  // Forks; call before any thread exists. The parent never returns from here: it waits for the
  // child's word, prints a failure, and exits with 0 or the failure's code.
  Status Detach();

  // The parent may exit with success; standard streams now lead nowhere. Any thread, once.
  void TellSuccess();
  // The parent prints the reason and exits; in the foreground it is printed here. Answers the exit
  // code.
  int TellFailure(const Status& reason);

 private:
  const std::function<int(const Status&)> exit_code_;
  int pipe_ = -1;  // to the waiting parent; -1 in the foreground
};

}  // namespace cairn::fuse

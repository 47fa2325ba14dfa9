// Going into the background so that the command line learns whether the mount was really made.
#pragma once

#include <string>

#include "common/status.h"

namespace cairn::fuse {

// Confined to the main thread until a method says otherwise.
class BackgroundStart {
 public:
  // Forks; call before any thread exists. The parent never returns from here: it waits for the
  // child's word, prints a failure, and exits with 0 or mount(8)'s 32.
  Status Detach();

  // The parent may exit with success; standard streams now lead nowhere. Any thread, once.
  void TellSuccess();
  // The parent prints the reason and exits 32; in the foreground it is printed here.
  void TellFailure(const Status& reason);

 private:
  int pipe_ = -1;  // to the waiting parent; -1 in the foreground
};

inline constexpr int kExitUsage = 1;
inline constexpr int kExitMountFailed = 32;

}  // namespace cairn::fuse

// Room the metaserver keeps free on its disk: without any it could neither remove a file nor move a
// placement group on, nor even start. Changes that make the state grow are refused first.
#pragma once

#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/command.pb.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/status.h"

namespace cairn {

// Thread-safe.
class DiskReserve {
 public:
  // `look` tells how much room the disk has.
  explicit DiskReserve(std::function<Result<DiskSpace>()> look);

  // kNoSpace, with what is left: below the reserve new names are refused, below half of it whatever
  // frees nothing and is asked by a mount. Looks at the disk a few times a second at most.
  Status Admit(const v1::Command& command);
  // Is there room for what is agreed on already? Much less is kept free for it.
  bool HasRoomToApply();

 private:
  DiskSpace Space();

  const std::function<Result<DiskSpace>()> look_;
  absl::Mutex mu_;
  BootTime next_look_ ABSL_GUARDED_BY(mu_){};
  DiskSpace space_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

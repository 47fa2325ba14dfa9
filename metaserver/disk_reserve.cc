#include "metaserver/disk_reserve.h"

#include <algorithm>
#include <utility>

#include "common/logging.h"

namespace cairn {

namespace {

constexpr uint64_t kLargestReserve = 256u << 20;
constexpr Duration kLookEvery = std::chrono::milliseconds(200);

enum class Appetite { kFrees, kChanges, kGrows };

Appetite AppetiteOf(const v1::Command& command) {
  switch (command.operation_case()) {
    case v1::Command::kCreate:
    case v1::Command::kMakeNode:
    case v1::Command::kMakeDirectory:
    case v1::Command::kMakeSymlink:
    case v1::Command::kLink:
      return Appetite::kGrows;
    case v1::Command::kSetAttributes:
    case v1::Command::kRename:
    case v1::Command::kCommitWrite:
    case v1::Command::kExtend:
    case v1::Command::kOpenTruncate:
    case v1::Command::kOpenSession:
      return Appetite::kChanges;
    default:
      return Appetite::kFrees;  // or the cluster lives on it
  }
}

uint64_t ReserveOf(const DiskSpace& space) {
  return std::min(kLargestReserve, space.total_bytes / 20);
}

}  // namespace

DiskReserve::DiskReserve(std::function<Result<DiskSpace>()> look) : look_(std::move(look)) {}

DiskSpace DiskReserve::Space() {
  absl::MutexLock lock(&mu_);
  const BootTime now = SystemClock().Now();
  if (now < next_look_) return space_;
  next_look_ = now + kLookEvery;
  const Result<DiskSpace> space = look_();
  if (space.has_value()) {
    space_ = *space;
  } else {
    LOG_WARN("room on the metaserver's disk is not known error={}", space.error());
  }
  return space_;
}

bool DiskReserve::HasRoomToApply() {
  const DiskSpace space = Space();
  return space.available_bytes >= ReserveOf(space) / 8 || space.total_bytes == 0;
}

Status DiskReserve::Admit(const v1::Command& command) {
  const Appetite appetite = AppetiteOf(command);
  if (appetite == Appetite::kFrees) return OkStatus();
  const DiskSpace space = Space();
  const uint64_t reserve = ReserveOf(space);
  const uint64_t needed = appetite == Appetite::kGrows ? reserve : reserve / 2;
  if (space.available_bytes >= needed) return OkStatus();
  return Status::Error(ErrorCode::kNoSpace, "{} bytes are left on the metaserver's disk",
                       space.available_bytes);
}

}  // namespace cairn

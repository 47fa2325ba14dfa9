#include "chunkserver/store/disk_health.h"

#include <algorithm>

#include "chunkserver/store/chunk_store.h"
#include "common/disk_room.h"
#include "common/logging.h"

namespace cairn {
namespace {

constexpr uint64_t kIndexPart = 4;  // of the reserve, one in so many
constexpr uint64_t kLongestTrust = 64u << 20;

bool SaysDiskIsBroken(ErrorCode code) {
  return code == ErrorCode::kIoError || code == ErrorCode::kReadOnly;
}

}  // namespace

Status DiskHealth::Check() const {
  if (!ended_.load(std::memory_order_acquire)) return OkStatus();
  absl::MutexLock lock(&mu_);
  return end_;
}

void DiskHealth::Close() {
  absl::MutexLock lock(&mu_);
  if (!end_.ok()) return;
  end_ = Status(ErrorCode::kUnavailable, "the chunk store is closed");
  ended_.store(true, std::memory_order_release);
}

Status DiskHealth::Note(Status status) {
  return SaysDiskIsBroken(status.code()) ? Fail(status) : status;
}

Status DiskHealth::Fatal(Status status) {
  return status.ok() || status.code() == ErrorCode::kDiskFailed ? status : Fail(status);
}

Status DiskHealth::Fail(const Status& cause) {
  Status end;
  {
    absl::MutexLock lock(&mu_);
    if (end_.code() == ErrorCode::kDiskFailed) return end_;
    end_ = Status::Error(ErrorCode::kDiskFailed, "the disk has failed: {}", cause.message());
    end = end_;
    ended_.store(true, std::memory_order_release);
  }
  LOG_ERROR("disk failed, its chunks are not served any more cause=\"{}\"", cause);
  if (failed_) failed_(cause);
  return end;
}

uint64_t AdmissionReserve(const DiskSpace& space) {
  return AdmissionReserveOf(space.total_bytes);
}

Status RoomGuard::Admit(size_t size_bytes, bool ordered) {
  if (size_bytes == 0) return OkStatus();
  const auto wanted = static_cast<int64_t>(size_bytes);
  if (unasked_bytes_.fetch_sub(wanted) >= wanted) return OkStatus();
  ASSIGN_OR_RETURN(DiskSpace space, files_.Space(directory_));
  const uint64_t kept_for_ordered = AdmissionReserve(space);
  const uint64_t reserve = ordered ? kept_for_ordered / kIndexPart : kept_for_ordered;
  if (space.available_bytes < reserve + size_bytes) {
    unasked_bytes_ = 0;
    return Status::Error(ErrorCode::kNoSpace,
                         "disk of {} is full: {} bytes left, {} are kept free", directory_,
                         space.available_bytes, reserve);
  }
  const uint64_t taken = kept_for_ordered + size_bytes;
  const uint64_t free = space.available_bytes > taken ? space.available_bytes - taken : 0;
  unasked_bytes_ = static_cast<int64_t>(std::min(kLongestTrust, free / 4));
  return OkStatus();
}

}  // namespace cairn

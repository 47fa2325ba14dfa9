#include "metaserver/operations/times.h"

#include <tuple>

namespace cairn {

Status CheckTime(const v1::Time& time) {
  if (time.nanoseconds() < 1'000'000'000) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument, "a time with {} nanoseconds",
                       time.nanoseconds());
}

bool IsLater(const v1::Time& time, const v1::Time& than) {
  return std::tuple(time.seconds(), time.nanoseconds()) >
         std::tuple(than.seconds(), than.nanoseconds());
}

void MarkChanged(v1::InodeRecord& inode, const v1::Time& time) {
  *inode.mutable_attributes()->mutable_change_time() = time;
}

void MarkModified(v1::InodeRecord& inode, const v1::Time& time) {
  *inode.mutable_attributes()->mutable_modify_time() = time;
  MarkChanged(inode, time);
}

void MarkBorn(v1::InodeRecord& inode, const v1::Time& time) {
  *inode.mutable_attributes()->mutable_access_time() = time;
  *inode.mutable_attributes()->mutable_birth_time() = time;
  MarkModified(inode, time);
}

}  // namespace cairn

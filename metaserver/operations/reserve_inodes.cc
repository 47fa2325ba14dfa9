#include "metaserver/operations/operations.h"

namespace cairn {

namespace {
constexpr uint64_t kMaxReserved = uint64_t{1} << 20;
}

Result<v1::Outcome> ReserveInodes(const v1::Command& command, MetadataTransaction& txn) {
  const uint64_t count = command.reserve_inodes().count();
  if (count == 0 || count > kMaxReserved) {
    return Fail(ErrorCode::kInvalidArgument, "a range of {} inode ids", count);
  }
  v1::Outcome outcome;
  outcome.set_first_inode(txn.state().next_inode());
  txn.mutable_state().set_next_inode(txn.state().next_inode() + count);
  return outcome;
}

}  // namespace cairn

// The request id inside a command of the kinds that clients here send.
#pragma once

#include "cairn/v1/command.pb.h"

namespace cairn::simulation {

// nullptr: a command of another kind.
inline v1::RequestId* MutableRequestId(v1::Command& command) {
  switch (command.operation_case()) {
    case v1::Command::kCreate:
      return command.mutable_create()->mutable_id();
    case v1::Command::kMakeDirectory:
      return command.mutable_make_directory()->mutable_id();
    case v1::Command::kUnlink:
      return command.mutable_unlink()->mutable_id();
    case v1::Command::kRemoveDirectory:
      return command.mutable_remove_directory()->mutable_id();
    case v1::Command::kRename:
      return command.mutable_rename()->mutable_id();
    case v1::Command::kCommitWrite:
      return command.mutable_commit_write()->mutable_id();
    case v1::Command::kExtend:
      return command.mutable_extend()->mutable_id();
    default:
      return nullptr;
  }
}

}  // namespace cairn::simulation

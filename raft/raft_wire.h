// Messages of the group as protobuf.
#pragma once

#include "cairn/v1/raft.pb.h"
#include "common/status.h"
#include "raft/core/message.h"

namespace cairn {

v1::RaftMessage ToProto(const raft::Message& message);
// kCorruption: no message has this shape. The tag is 0.
Result<raft::Message> FromProto(const v1::RaftMessage& proto);

}  // namespace cairn

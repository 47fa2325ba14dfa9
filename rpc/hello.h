// What both sides check in the other's first frame.
#pragma once

#include "cairn/v1/common.pb.h"
#include "cairn/v1/hello.pb.h"
#include "common/status.h"
#include "rpc/frame_reader.h"

namespace cairn {

inline constexpr uint32_t kProtocolVersion = 1;

// Fills in the versions this program speaks where the owner of `hello` left them open.
v1::Hello WithVersions(v1::Hello hello);

// kUnimplemented: no version in common; kWrongCluster: both name a cluster and they differ;
// kUnavailable: one side wants another server than the other is, as when the port it was told of
// is another one's by now. The message names both sides' values.
Status CheckHello(const v1::Hello& ours, const v1::Hello& theirs);

// kCorruption: not a Hello frame, or one that does not parse.
Result<v1::Hello> ParseHello(const Frame& frame);

// The body that carries `why`.
v1::StatusDetail MakeDetail(const Status& why);

// The Status in the body of a goodbye, or of an answer whose header bears a code.
Status ParseDetail(const Frame& frame);

}  // namespace cairn

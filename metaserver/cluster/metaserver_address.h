// Where a metaserver listens, as text: that is how the group's membership keeps it.
#pragma once

#include <string>
#include <string_view>

#include "cairn/v1/common.pb.h"
#include "common/status.h"

namespace cairn {

// Of what a server says that it listens on.
inline constexpr size_t kMaxHostBytes = 255;
inline constexpr uint32_t kMaxPort = 65535;

// "HOST:PORT HOST:PORT", frames first. kInvalidArgument names what no server can listen on.
Result<std::string> FormatMetaserver(const v1::MetaserverAddress& address);
// kCorruption: not such a text.
Result<v1::MetaserverAddress> ParseMetaserver(std::string_view text);

}  // namespace cairn

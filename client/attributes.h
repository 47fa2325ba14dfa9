// The metaserver's words for attributes, callers and times, and the system calls'.
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "cairn/v1/metadata.pb.h"
#include "client/mounted_file_system.h"

namespace cairn::client {

struct stat ToStat(const v1::Attributes& attributes, uint64_t blocks);
v1::Caller ToCaller(const Identity& who);
v1::Time ToTime(const WallTime& time);

// kNameTooLong or kInvalidArgument, without a round trip.
Status CheckName(std::string_view name);

}  // namespace cairn::client

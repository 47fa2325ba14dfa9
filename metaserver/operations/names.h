// Names and symbolic link targets as they come from outside.
#pragma once

#include <string_view>

#include "common/status.h"

namespace cairn {

inline constexpr size_t kMaxSymlinkBytes = 4095;

// kInvalidArgument: empty, "." or "..", or holds a slash or a NUL; kNameTooLong: over 255 bytes.
Status CheckName(std::string_view name);
// kNotFound: empty (as POSIX has it); kInvalidArgument: holds a NUL; kNameTooLong: over 4095 bytes.
Status CheckSymlinkTarget(std::string_view target);

}  // namespace cairn

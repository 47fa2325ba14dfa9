#include "metaserver/operations/names.h"

#include "common/ids.h"

namespace cairn {

Status CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) {
    return Status::Error(ErrorCode::kNameTooLong, "a name of {} bytes", name.size());
  }
  if (name.empty()) return Status(ErrorCode::kInvalidArgument, "an empty name");
  if (name == "." || name == "..") {
    return Status::Error(ErrorCode::kInvalidArgument, "'{}' is not a name of an entry", name);
  }
  if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return Status(ErrorCode::kInvalidArgument, "a name holds a slash or a NUL");
  }
  return OkStatus();
}

Status CheckSymlinkTarget(std::string_view target) {
  if (target.empty()) return Status(ErrorCode::kNotFound, "an empty symbolic link target");
  if (target.size() > kMaxSymlinkBytes) {
    return Status::Error(ErrorCode::kNameTooLong, "a symbolic link target of {} bytes",
                         target.size());
  }
  if (target.find('\0') != std::string_view::npos) {
    return Status(ErrorCode::kInvalidArgument, "a symbolic link target holds a NUL");
  }
  return OkStatus();
}

}  // namespace cairn

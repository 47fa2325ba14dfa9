// Sentences about a Status or a Result<T>: EXPECT_THAT(Open(path), StatusIs(ErrorCode::kNotFound)).
#pragma once

#include <gmock/gmock.h>

#include <ostream>

#include "common/status.h"

namespace cairn {

// Found by GoogleTest through the argument's namespace.
inline void PrintTo(const Status& status, std::ostream* out) { *out << status.ToString(); }
template <typename T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  *out << internal::StatusOf(result).ToString();
}

MATCHER(IsOk, "is ok") {
  Status status = internal::StatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return status.ok();
}

MATCHER_P(StatusIs, code, std::string(ErrorCodeName(code))) {
  Status status = internal::StatusOf(arg);
  *result_listener << "which is " << status.ToString();
  return status.code() == code;
}

}  // namespace cairn

#include "common/exit_code.h"

namespace cairn {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kOk: return ExitCode::kOk;
    case ErrorCode::kInvalidArgument: return ExitCode::kUsage;
    case ErrorCode::kNotFound: return ExitCode::kNotFound;
    case ErrorCode::kPermission:
    case ErrorCode::kAccessDenied:
    case ErrorCode::kUnauthenticated: return ExitCode::kDenied;
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kNotLeader: return ExitCode::kUnavailable;
    case ErrorCode::kBusy:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kWrongCluster:
    case ErrorCode::kBelowMinActive: return ExitCode::kRefused;
    case ErrorCode::kCancelled: return ExitCode::kInterrupted;
    default: return ExitCode::kFailed;
  }
}

}  // namespace cairn

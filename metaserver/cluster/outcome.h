// What became of a proposal, as one Status.
#pragma once

#include "cairn/v1/command.pb.h"
#include "common/status.h"

namespace cairn {

// The log's error, or the outcome's own.
inline Status StatusOfOutcome(const Result<v1::Outcome>& outcome) {
  if (!outcome.has_value()) return outcome.error();
  if (outcome->code() == 0) return OkStatus();
  return Status(static_cast<ErrorCode>(outcome->code()), outcome->message());
}

}  // namespace cairn

// Durations, rates and points in time as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// "90s", "30m", "2h", "1d". kInvalidArgument says what it should look like; a number alone could be
// anything.
Result<std::chrono::seconds> ParseDuration(std::string_view text);

// Bytes: "512K", "4M", "1G", counted in 1024s. kInvalidArgument as above, also for 0.
Result<uint64_t> ParseSize(std::string_view text);

// Bytes per second: "512K", "50M", "1G", counted in 1024s. kInvalidArgument as above, also for 0.
Result<uint64_t> ParseRate(std::string_view text);

// "2026-11-26 12:30:05", local.
std::string LocalTime(int64_t seconds);

inline WallTime WallTimeOf(const v1::Time& time) {
  return {time.seconds(), time.nanoseconds()};
}

}  // namespace cairn

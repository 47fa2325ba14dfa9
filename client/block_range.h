// The whole blocks that a range of bytes lies in.
#pragma once

#include <cstdint>

#include "common/ids.h"

namespace cairn::client {

constexpr uint64_t BlockStart(uint64_t offset) { return offset / kBlockSize * kBlockSize; }
constexpr uint64_t BlockEnd(uint64_t end) {
  return (end + kBlockSize - 1) / kBlockSize * kBlockSize;
}

}  // namespace cairn::client

// A quick hash of bytes that is the same in every process.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/hash.h"

namespace cairn::simulation {

inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size();
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = MixBits(hash ^ word);
    bytes.remove_prefix(8);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  return MixBits(hash ^ rest);
}

}  // namespace cairn::simulation

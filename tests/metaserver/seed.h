// The seed of random tests: printed, and taken from CAIRN_SEED to repeat a run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "common/hash.h"

namespace cairn::testing {

inline uint64_t TestSeed() {
  const char* chosen = std::getenv("CAIRN_SEED");
  const uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : RandomBits();
  std::printf("CAIRN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace cairn::testing

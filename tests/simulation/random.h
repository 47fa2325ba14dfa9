// The only source of chance in a run. Integers only, so that a seed means the same everywhere.
#pragma once

#include <cstdint>

#include "common/hash.h"
#include "raft/core/message.h"

namespace cairn::simulation {

using raft::Time;

// Thread-compatible.
class Random {
 public:
  // Streams of one seed are independent: a draw more in one does not change the others.
  Random(uint64_t seed, uint64_t stream) : state_(MixBits(seed) ^ MixBits(~stream)) {}

  uint64_t Next() { return MixBits(state_ += 0x9e3779b97f4a7c15u); }
  // REQUIRES: n > 0.
  uint64_t Below(uint64_t n) { return Next() % n; }
  // In [from, to], both included.
  int Between(int from, int to) {
    return from + static_cast<int>(Below(static_cast<uint64_t>(to - from) + 1));
  }
  Time Between(Time from, Time to) {
    return from + Time(static_cast<int64_t>(Below(static_cast<uint64_t>((to - from).count()) + 1)));
  }
  bool Chance(int permille) { return static_cast<int>(Below(1000)) < permille; }
  // Somewhere around `mean`, far enough spread that periods do not lock into each other.
  Time Around(Time mean) { return Between(mean / 4, mean * 7 / 4); }

 private:
  uint64_t state_;
};

}  // namespace cairn::simulation

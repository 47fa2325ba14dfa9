// What happened in a run: always as a hash, and as lines when somebody wants to read it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "common/hash.h"
#include "tests/simulation/scheduler.h"

namespace cairn::simulation {

// Thread-compatible.
class Trace {
 public:
  Trace(const Scheduler& scheduler, bool printing) : scheduler_(scheduler), printing_(printing) {}

  uint64_t hash() const { return hash_; }
  bool printing() const { return printing_; }

  template <typename... Numbers>
  void Add(Numbers... numbers) {
    ((hash_ = MixBits(hash_ ^ static_cast<uint64_t>(numbers))), ...);
  }
  // `text` makes the line; it is called only if lines are wanted.
  template <typename Text>
  void Line(Text text) {
    if (!printing_) return;
    const double now = static_cast<double>(scheduler_.now().count()) / 1e9;
    std::printf("%10.6f  %s\n", now, std::string(text()).c_str());
  }

 private:
  const Scheduler& scheduler_;
  const bool printing_;
  uint64_t hash_ = 0;
};

}  // namespace cairn::simulation

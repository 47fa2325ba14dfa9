// What 512 bytes of a file may hold: one register, checked against what its writers and readers
// saw. Every write has a tag of its own, so a reader sees which one he got.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "tests/simulation/random.h"

namespace cairn::simulation::chunks {

inline constexpr uint32_t kSectorBytes = 512;
inline constexpr Time kNever = Time::max();

// Zeros have many sources (never written, cut off): tags that are zeros when read.
inline constexpr uint64_t kZeroTag = uint64_t{1} << 63;

// Thread-compatible.
class BlockTruth {
 public:
  BlockTruth() { values_.push_back({.tag = kZeroTag, .settled = Time(0)}); }

  // A write, or a cut (of no session), is under way from now on; it may take effect at any time
  // until it is known to have, or its session has passed on. Called once more when it may run
  // again.
  void Begin(uint64_t tag, SessionId session) {
    values_.push_back({.tag = tag, .session = session});
  }
  // The value was in place at some moment in [from, to]: it was acknowledged, or read. What had
  // been in place before `from` is gone for good. `durable`: whatever power is lost.
  void Settle(uint64_t tag, Time from, Time to, bool durable);
  // What the session wrote is in place by now, or never will be (rule L1).
  void EndSession(SessionId session, Time now);
  // A read between `from` and `to` saw this value; 0: zeros. The words for a violation, if it is.
  std::optional<std::string> See(uint64_t tag, Time from, Time to);
  // Everything settled before `from` is on disk.
  void Sync(Time from) { synced_ = std::max(synced_, from); }
  // All copies may have lost what was not synced. What a cut took before stays away.
  void Lose();

 private:
  struct Value {  // one run of a write
    uint64_t tag = 0;
    SessionId session{};
    Time settled = kNever;  // in place at some moment up to here
    Time ended = kNever;    // by then it was in place, or it never will be
    Time dead = kNever;     // nobody who starts to read from here on may see it
    bool for_ever = false;  // dead whatever happens
  };
  void Bury(uint64_t tag, Time from, Time to, bool durable);  // what was there before it
  std::string List() const;

  std::vector<Value> values_;
  Time synced_{0};
};

}  // namespace cairn::simulation::chunks

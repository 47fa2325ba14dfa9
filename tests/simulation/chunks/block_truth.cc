#include "tests/simulation/chunks/block_truth.h"

#include <fmt/format.h>

#include <algorithm>

namespace cairn::simulation::chunks {
namespace {
bool Shows(uint64_t tag, uint64_t seen) {
  return seen == 0 ? (tag & kZeroTag) != 0 : tag == seen;
}
double Seconds(Time time) {
  return time == kNever ? -1 : static_cast<double>(time.count()) / 1e9;
}
}  // namespace

void BlockTruth::Settle(uint64_t tag, Time from, Time to, bool durable) {
  for (Value& value : values_) {
    if (value.tag == tag) value.settled = std::min(value.settled, to);
  }
  Bury(tag, from, to, durable);
}

void BlockTruth::Bury(uint64_t tag, Time from, Time to, bool durable) {
  for (Value& value : values_) {
    if (value.tag == tag || std::min(value.settled, value.ended) > from) continue;
    value.dead = std::min(value.dead, to);
    value.for_ever = value.for_ever || durable;
  }
}

void BlockTruth::EndSession(SessionId session, Time now) {
  for (Value& value : values_) {
    if (value.session == session) value.ended = now;
  }
}

std::optional<std::string> BlockTruth::See(uint64_t tag, Time from, Time to) {
  Value* seen = nullptr;
  bool is_certain = true;
  const Value* dead = nullptr;
  for (Value& value : values_) {
    if (!Shows(value.tag, tag)) continue;
    if (value.dead <= from) {
      dead = &value;
    } else if (seen == nullptr) {
      seen = &value;
    } else {
      is_certain = is_certain && value.tag == seen->tag;
    }
  }
  if (seen != nullptr && is_certain) {
    // Of several runs of one write the first at least; a later one may still be to come.
    seen->settled = std::min(seen->settled, to);
    Bury(seen->tag, from, to, false);
  }
  if (seen != nullptr) return std::nullopt;
  if (dead == nullptr) return fmt::format("{:x} was never written there", tag);
  return fmt::format("{:x} had been overwritten at {:.6f}, read began at {:.6f};{}", tag,
                     Seconds(dead->dead), Seconds(from), List());
}

void BlockTruth::Lose() {
  for (Value& value : values_) {
    if (value.for_ever) continue;
    if (value.dead > synced_) value.dead = kNever;
    const bool cut = (value.tag & kZeroTag) != 0;
    if (value.settled > synced_ && !cut) value.settled = kNever;
  }
}

std::string BlockTruth::List() const {
  std::string text;
  for (const Value& value : values_) {
    if (value.dead != kNever && value.dead + Time(5'000'000'000) < values_.back().settled) continue;
    text += fmt::format(" {:x} settled {:.6f} dead {:.6f},", value.tag, Seconds(value.settled),
                        Seconds(value.dead));
  }
  return text;
}

}  // namespace cairn::simulation::chunks

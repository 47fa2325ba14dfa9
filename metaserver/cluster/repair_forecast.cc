#include "metaserver/cluster/repair_forecast.h"

#include <algorithm>
#include <cmath>

namespace cairn {
namespace {

uint64_t At(const BytesBySource& bytes, ServerId source) {
  const auto found = bytes.find(source);
  return found == bytes.end() ? 0 : found->second;
}

uint64_t Sum(const BytesBySource& bytes) {
  uint64_t sum = 0;
  for (const auto& [source, count] : bytes) sum += count;
  return sum;
}

}  // namespace

void RepairForecast::Note(BootTime now, const BytesBySource& left,
                          const std::set<ServerId>& throttled) {
  throttled_ = throttled;
  Look look{now, left, {}, true};
  if (!looks_.empty()) {
    look.copied = looks_.back().copied;
    for (const auto& [source, before] : looks_.back().left) {
      look.copied[source] += before - std::min(before, At(left, source));
    }
    look.rested = Sum(look.copied) == Sum(looks_.back().copied);
  }
  looks_.push_back(std::move(look));
  while (looks_.size() > 2 && now - looks_.front().at > kRateWindow) looks_.pop_front();
  // Time before the first byte, or after a lull, says nothing of the rate, nor does the second in
  // which copying began.
  while (looks_.size() > 2 && looks_.front().rested) looks_.pop_front();
}

double RepairForecast::Seconds() const {
  return std::chrono::duration<double>(looks_.back().at - looks_.front().at).count();
}

uint64_t RepairForecast::Copied(ServerId source) const {
  return At(looks_.back().copied, source) - At(looks_.front().copied, source);
}

uint64_t RepairForecast::bytes_per_second() const {
  if (looks_.size() < 2 || Seconds() < 1) return 0;
  const uint64_t copied = Sum(looks_.back().copied) - Sum(looks_.front().copied);
  return static_cast<uint64_t>(static_cast<double>(copied) / Seconds());
}

uint64_t RepairForecast::seconds_left() const {
  const double rate = static_cast<double>(bytes_per_second());
  if (rate == 0) return 0;
  const auto& copied = looks_.back().copied;
  const auto active = static_cast<double>(std::count_if(
      copied.begin(), copied.end(), [this](const auto& entry) { return Copied(entry.first) > 0; }));
  double slowest = 0;
  bool by_throttle = false;
  for (const auto& [source, bytes] : looks_.back().left) {
    // One that has not begun will be as fast as the others are.
    const double own = static_cast<double>(Copied(source)) / Seconds();
    const double seconds = static_cast<double>(bytes) / (own > 0 ? own : rate / active);
    if (seconds < slowest) continue;
    slowest = seconds;
    by_throttle = throttled_.contains(source);
  }
  const double together = static_cast<double>(Sum(looks_.back().left)) / rate;
  const double seconds = by_throttle ? slowest : together;
  return std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(seconds)));
}

}  // namespace cairn

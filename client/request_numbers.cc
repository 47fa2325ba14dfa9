#include "client/request_numbers.h"

#include "common/clock.h"

namespace cairn::client {

RequestNumbers::RequestNumbers() {
  WallTime now = SystemClock().WallNow();
  next_ = static_cast<uint64_t>(now.seconds) * 1'000'000'000 + now.nanoseconds;
}

RequestNumbers::Number RequestNumbers::Begin() {
  absl::MutexLock lock(&mu_);
  uint64_t sequence = next_++;
  unanswered_.insert(sequence);
  return {sequence, *unanswered_.begin()};
}

void RequestNumbers::End(uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  unanswered_.erase(sequence);
}

void HeldNumber::Renew() {
  numbers_.End(id_.sequence());
  Begin();
}

void HeldNumber::Begin() {
  const RequestNumbers::Number number = numbers_.Begin();
  id_.set_sequence(number.sequence);
  id_.set_lowest_unanswered(number.lowest_unanswered);
}

}  // namespace cairn::client

// Virtual time: what is to happen happens in order of time, and what is due at the same moment in
// the order it was asked for.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "raft/core/message.h"

namespace cairn::simulation {

using raft::Time;
using namespace std::chrono_literals;
using Action = std::function<void()>;

// Thread-compatible.
class Scheduler {
 public:
  Time now() const { return now_; }
  uint64_t steps() const { return steps_; }

  void At(Time when, Action action) {
    heap_.push_back({std::max(when, now_), ++asked_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  void After(Time delay, Action action) { At(now_ + delay, std::move(action)); }

  // One step. False: nothing is due up to `end`, and it is `end` now.
  bool RunOne(Time end) {
    if (heap_.empty() || heap_.front().when > end) {
      now_ = end;
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    ++steps_;
    event.action();
    return true;
  }

 private:
  struct Event {
    Time when;
    uint64_t order;
    Action action;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  Time now_{0};
  uint64_t asked_ = 0;
  uint64_t steps_ = 0;
  std::vector<Event> heap_;
};

}  // namespace cairn::simulation

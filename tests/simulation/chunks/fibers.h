// Threads that are none: every thread of every simulated process is a fiber on the one thread that
// runs the seed. A fiber runs until it waits; who runs next, and when a wait ends, is drawn from
// the seed and from virtual time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"

namespace cairn::simulation::chunks {

struct Fiber;
using FiberPtr = std::shared_ptr<Fiber>;

// One process as far as time is concerned: its clock drifts, and it can be stopped (SIGSTOP).
// Thread-compatible.
class Domain {
 public:
  // The clock shows `offset` when virtual time begins, and gains `drift` in 1000.
  Domain(Time offset, int drift) : offset_(offset), drift_(drift) {}
  Time Local(Time now) const { return offset_ + now + now * drift_ / 1000; }
  // When the clock shows `local`, or later.
  Time When(Time local) const;

 private:
  friend class Fibers;
  const Time offset_;
  const int drift_;
  bool paused_ = false;
  std::vector<Fiber*> waiting_;
  std::vector<FiberPtr> held_;  // ready, but the process is paused
};

// Confined to the thread that runs the seed.
class Fibers {
 public:
  Fibers(Scheduler& scheduler, uint64_t seed);
  ~Fibers();                 // REQUIRES: no fiber is left
  static Fibers* Current();  // of this thread; null outside of a run

  FiberPtr Start(Domain& domain, std::function<void()> body);
  // For fibers: until `ready` holds or the domain's clock shows `local`. It may hold no more when
  // the fiber runs again: look once more.
  void Wait(const std::function<bool()>& ready, std::optional<Time> local);
  void Sleep(Time duration);
  void Join(const FiberPtr& fiber);

  void Pause(Domain& domain) { domain.paused_ = true; }
  void Resume(Domain& domain);
  // Something that a fiber of `domain` may wait for has changed.
  void Touch(Domain& domain);

  // One step: a ready fiber runs, else time goes on to the next event. False: nothing is left to do
  // up to `end`, and it is `end` now.
  bool RunOne(Time end);
  // The domain of the running fiber; null between fibers.
  Domain* domain() const;
  Scheduler& scheduler() { return scheduler_; }
  // Steps since time last moved: a world that goes round and round does not get on.
  uint64_t steps_at_once() const { return steps_at_once_; }
  size_t alive() const { return alive_; }

 private:
  friend struct Fiber;
  void MakeReady(FiberPtr fiber);
  void Run(FiberPtr fiber);
  void SwitchOut(bool for_good);
  static void Enter();

  Scheduler& scheduler_;
  Random random_;
  std::vector<FiberPtr> ready_;
  FiberPtr running_;
  std::vector<void*> free_stacks_;
  size_t alive_ = 0;
  uint64_t steps_at_once_ = 0;
  Time last_step_{};
};

// Work of one kind in a process, done one after the other: the frames of one connection, say.
class Lane {
 public:
  Lane(Fibers& fibers, Domain& domain) : fibers_(fibers), domain_(domain) {}
  void Post(std::function<void()> work);
  bool idle() const { return !running_; }

 private:
  void Drain();
  Fibers& fibers_;
  Domain& domain_;
  std::vector<std::function<void()>> queue_;
  bool running_ = false;
};

}  // namespace cairn::simulation::chunks

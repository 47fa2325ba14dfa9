#include "tests/simulation/chunks/fibers.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <utility>

#include "common/status.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace cairn::simulation::chunks {

struct Fiber : std::enable_shared_from_this<Fiber> {
  std::function<void()> body;
  Domain* domain = nullptr;
  ucontext_t context{};
  void* stack = nullptr;
  void* fake_stack = nullptr;  // of the address sanitizer
  const std::function<bool()>* condition = nullptr;
  bool ready = false;  // to run, or running
  uint64_t waits = 0;
  bool done = false;
};

namespace {

constexpr size_t kStackBytes = 256u << 10;

thread_local Fibers* current_fibers = nullptr;
thread_local ucontext_t main_context;
thread_local void* main_fake_stack = nullptr;
thread_local const void* main_stack = nullptr;
thread_local size_t main_stack_bytes = 0;

// What the address sanitizer has to know when the stack changes.
void BeginSwitch([[maybe_unused]] void** save, [[maybe_unused]] const void* to,
                 [[maybe_unused]] size_t size) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(save, to, size);
#endif
}
void EndSwitch([[maybe_unused]] void* saved, [[maybe_unused]] bool from_main) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(saved, from_main ? &main_stack : nullptr,
                                  from_main ? &main_stack_bytes : nullptr);
#endif
}

}  // namespace

Time Domain::When(Time local) const {
  if (local <= offset_) return Time(0);
  Time now = (local - offset_) / (1000 + drift_) * 1000;
  while (Local(now) < local) now += Time(500);
  return now;
}

Fibers::Fibers(Scheduler& scheduler, uint64_t seed) : scheduler_(scheduler), random_(seed, 0xf1be) {
  CAIRN_CHECK(current_fibers == nullptr);
  current_fibers = this;
}

Fibers::~Fibers() {
  CAIRN_CHECK(alive_ == 0);
  for (void* stack : free_stacks_) munmap(stack, kStackBytes);
  current_fibers = nullptr;
}

Fibers* Fibers::Current() {
  return current_fibers;
}

Domain* Fibers::domain() const {
  return running_ == nullptr ? nullptr : running_->domain;
}

FiberPtr Fibers::Start(Domain& domain, std::function<void()> body) {
  auto fiber = std::make_shared<Fiber>();
  fiber->body = std::move(body);
  fiber->domain = &domain;
  ++alive_;
  MakeReady(fiber);
  return fiber;
}

void Fibers::MakeReady(FiberPtr fiber) {
  fiber->ready = true;
  ready_.push_back(std::move(fiber));
}

void Fibers::Wait(const std::function<bool()>& ready, std::optional<Time> local) {
  const FiberPtr self = running_;
  CAIRN_CHECK(self != nullptr);
  self->condition = &ready;
  self->ready = false;
  const uint64_t wait = ++self->waits;
  self->domain->waiting_.push_back(self.get());
  if (local) {
    scheduler_.At(self->domain->When(*local), [this, self, wait] {
      if (self->done || self->ready || self->waits != wait) return;
      std::erase(self->domain->waiting_, self.get());
      MakeReady(self);
    });
  }
  SwitchOut(false);
}

void Fibers::Sleep(Time duration) {
  const std::function<bool()> never = [] { return false; };
  Wait(never, running_->domain->Local(scheduler_.now()) + duration);
}

void Fibers::Join(const FiberPtr& fiber) {
  const std::function<bool()> over = [&] { return fiber->done; };
  while (!fiber->done) Wait(over, std::nullopt);
}

void Fibers::Resume(Domain& domain) {
  domain.paused_ = false;
  for (FiberPtr& fiber : domain.held_) ready_.push_back(std::move(fiber));
  domain.held_.clear();
}

void Fibers::Touch(Domain& domain) {
  for (size_t i = 0; i < domain.waiting_.size();) {
    Fiber* fiber = domain.waiting_[i];
    if (!(*fiber->condition)()) {
      ++i;
      continue;
    }
    domain.waiting_.erase(domain.waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    MakeReady(fiber->shared_from_this());
  }
}

bool Fibers::RunOne(Time end) {
  while (!ready_.empty()) {
    const size_t chosen = random_.Below(ready_.size());
    FiberPtr fiber = std::move(ready_[chosen]);
    ready_[chosen] = std::move(ready_.back());
    ready_.pop_back();
    if (fiber->domain->paused_) {
      fiber->domain->held_.push_back(std::move(fiber));
      continue;
    }
    steps_at_once_ = scheduler_.now() == last_step_ ? steps_at_once_ + 1 : 0;
    last_step_ = scheduler_.now();
    Run(std::move(fiber));
    return true;
  }
  return scheduler_.RunOne(end);
}

void Fibers::Run(FiberPtr fiber) {
  if (fiber->stack == nullptr) {
    if (free_stacks_.empty()) {
      void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      CAIRN_CHECK(stack != MAP_FAILED);
      free_stacks_.push_back(stack);
    }
    fiber->stack = free_stacks_.back();
    free_stacks_.pop_back();
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = kStackBytes;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, &Fibers::Enter, 0);
  }
  Domain& domain = *fiber->domain;
  running_ = fiber;
  BeginSwitch(&main_fake_stack, fiber->stack, kStackBytes);
  swapcontext(&main_context, &fiber->context);
  EndSwitch(main_fake_stack, false);
  running_ = nullptr;
  if (fiber->done) {
    free_stacks_.push_back(std::exchange(fiber->stack, nullptr));
    --alive_;
  }
  Touch(domain);
}

void Fibers::SwitchOut(bool for_good) {
  Fiber& self = *running_;
  BeginSwitch(for_good ? nullptr : &self.fake_stack, main_stack, main_stack_bytes);
  swapcontext(&self.context, &main_context);
  EndSwitch(self.fake_stack, true);
}

void Fibers::Enter() {
  EndSwitch(nullptr, true);
  Fiber& self = *current_fibers->running_;
  self.body();
  self.body = nullptr;
  self.done = true;
  current_fibers->SwitchOut(true);
}

void Lane::Post(std::function<void()> work) {
  queue_.push_back(std::move(work));
  if (running_) return;
  running_ = true;
  fibers_.Start(domain_, [this] { Drain(); });
}

void Lane::Drain() {
  while (!queue_.empty()) {
    std::function<void()> work = std::move(queue_.front());
    queue_.erase(queue_.begin());
    work();
  }
  running_ = false;
}

}  // namespace cairn::simulation::chunks

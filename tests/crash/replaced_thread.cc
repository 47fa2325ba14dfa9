#include "tests/crash/replaced_thread.h"

#include <utility>

#include "common/thread.h"

namespace cairn {
namespace {

thread_local uint64_t turn = 0;  // of the thread that runs one crash point

}  // namespace

void crash::BeginThreadTurns(uint64_t first) {
  turn = first;
}

struct Thread::Running {
  std::function<void()> body;  // empty: it has run
};

Thread::Thread() = default;

Thread::Thread(const std::string&, std::function<void()> body)
    : running_(std::make_unique<Running>()) {
  if (turn++ % 2 == 0) {
    body();
  } else {
    running_->body = std::move(body);
  }
}

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  running_ = std::move(other.running_);
  return *this;
}

Thread::~Thread() {
  Join();
}

void Thread::Join() {
  if (running_ == nullptr) return;
  if (running_->body != nullptr) running_->body();
  running_.reset();
}

}  // namespace cairn

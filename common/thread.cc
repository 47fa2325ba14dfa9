#include "common/thread.h"

#include <pthread.h>

#include <thread>
#include <utility>

#include "common/status.h"

namespace cairn {

struct Thread::Running {
  std::thread thread;
};

Thread::Thread() = default;

Thread::Thread(const std::string& name, std::function<void()> body)
    : running_(std::make_unique<Running>()) {
  running_->thread = std::thread([name = name.substr(0, 15), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  });
}

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  CAIRN_CHECK(running_ == nullptr);
  running_ = std::move(other.running_);
  return *this;
}

Thread::~Thread() {
  CAIRN_CHECK(running_ == nullptr);
}

void Thread::Join() {
  if (running_ == nullptr) return;
  running_->thread.join();
  running_.reset();
}

}  // namespace cairn

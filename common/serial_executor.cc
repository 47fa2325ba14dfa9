#include "common/serial_executor.h"

#include <pthread.h>

#include <utility>

namespace cairn {

SerialExecutor::SerialExecutor(std::string thread_name)
    : thread_([this, name = std::move(thread_name)] { Work(name); }) {}

SerialExecutor::~SerialExecutor() {
  Stop();
}

void SerialExecutor::Run(Task task) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  changed_.Signal();
}

void SerialExecutor::Stop() {
  std::deque<Task> dropped;  // destroyed without the lock: a task may own anything
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    dropped.swap(tasks_);
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void SerialExecutor::Work(const std::string& thread_name) {
  pthread_setname_np(pthread_self(), thread_name.substr(0, 15).c_str());
  for (;;) {
    Task task;
    {
      absl::MutexLock lock(&mu_);
      while (tasks_.empty() && !stopping_) changed_.Wait(&mu_);
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace cairn

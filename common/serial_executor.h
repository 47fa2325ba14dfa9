// One thread that runs tasks in the order they were given.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace cairn {

// Thread-safe.
class SerialExecutor {
 public:
  using Task = std::function<void()>;

  explicit SerialExecutor(std::string thread_name);
  ~SerialExecutor();  // Stop()s

  // Runs `task` after those given before. After Stop() it is dropped.
  void Run(Task task);
  // Finishes the task that is running, drops the others, joins. Not to be called by a task.
  void Stop();

 private:
  void Work(const std::string& thread_name);

  absl::Mutex mu_;
  absl::CondVar changed_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace cairn

#include "rpc/poller.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace cairn {
namespace {

// What the thread and the Poller share: the Poller may go away on this very thread.
class PollLoop {
 public:
  PollLoop()
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        timer_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
    CAIRN_CHECK(epoll_ >= 0 && timer_ >= 0);
    epoll_event event{EPOLLIN, {.fd = timer_}};
    CAIRN_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) == 0);
  }
  ~PollLoop() {
    close(timer_);
    close(epoll_);
  }

  void Watch(int descriptor, std::function<void()> ready, uint32_t events);
  void Unwatch(int descriptor);
  void RunAt(BootTime when, std::function<void()> task);
  void Run();
  void End() {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    SetTimer(BootTime{Duration(1)});
  }
  uint64_t wake_ups() const { return wake_ups_.load(); }

 private:
  void SetTimer(BootTime when) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunReady(int descriptor);
  void RunDueTasks();
  bool ended() {
    absl::MutexLock lock(&mu_);
    return ended_;
  }

  const int epoll_;
  const int timer_;
  std::atomic<uint64_t> wake_ups_{0};
  std::atomic<std::thread::id> thread_;

  absl::Mutex mu_;
  absl::CondVar idle_;  // running_ changed
  absl::flat_hash_map<int, std::function<void()>> watches_ ABSL_GUARDED_BY(mu_);
  std::multimap<BootTime, std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = -1;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

void PollLoop::Watch(int descriptor, std::function<void()> ready, uint32_t events) {
  absl::MutexLock lock(&mu_);
  watches_[descriptor] = std::move(ready);
  epoll_event event{events | EPOLLONESHOT, {.fd = descriptor}};
  // A descriptor that fired stays registered, disarmed, until it is closed.
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0) return;
  CAIRN_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

void PollLoop::Unwatch(int descriptor) {
  std::function<void()> dropped;  // what it holds is released outside the lock
  absl::MutexLock lock(&mu_);
  auto found = watches_.find(descriptor);
  if (found != watches_.end()) {
    dropped = std::move(found->second);
    watches_.erase(found);
    epoll_event event{0, {.fd = descriptor}};
    (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event);
  }
  if (thread_.load() == std::this_thread::get_id()) return;
  while (running_ == descriptor) idle_.Wait(&mu_);
}

void PollLoop::RunAt(BootTime when, std::function<void()> task) {
  absl::MutexLock lock(&mu_);
  bool is_next = tasks_.empty() || when < tasks_.begin()->first;
  tasks_.emplace(when, std::move(task));
  if (is_next) SetTimer(when);
}

void PollLoop::SetTimer(BootTime when) {
  int64_t at = std::max<int64_t>(when.since_boot.count(), 1);  // 0 would disarm it
  itimerspec spec{};
  spec.it_value.tv_sec = at / 1'000'000'000;
  spec.it_value.tv_nsec = at % 1'000'000'000;
  CAIRN_CHECK(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

void PollLoop::Run() {
  thread_ = std::this_thread::get_id();
  std::array<epoll_event, 64> events;
  while (!ended()) {
    int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0) continue;  // EINTR
    ++wake_ups_;
    for (int i = 0; i < count; ++i) {
      int descriptor = events[static_cast<size_t>(i)].data.fd;
      descriptor == timer_ ? RunDueTasks() : RunReady(descriptor);
    }
  }
}

void PollLoop::RunReady(int descriptor) {
  std::function<void()> ready;
  {
    absl::MutexLock lock(&mu_);
    auto found = watches_.find(descriptor);
    if (found == watches_.end()) return;
    ready = std::move(found->second);
    watches_.erase(found);
    running_ = descriptor;
  }
  ready();
  absl::MutexLock lock(&mu_);
  running_ = -1;
  idle_.SignalAll();
}

void PollLoop::RunDueTasks() {
  uint64_t expirations = 0;
  (void)!read(timer_, &expirations, sizeof(expirations));
  BootTime now = SystemClock().Now();
  std::vector<std::function<void()>> due;
  {
    absl::MutexLock lock(&mu_);
    auto end = tasks_.upper_bound(now);
    for (auto it = tasks_.begin(); it != end; ++it) due.push_back(std::move(it->second));
    tasks_.erase(tasks_.begin(), end);
    if (!tasks_.empty()) SetTimer(tasks_.begin()->first);
  }
  for (const auto& task : due) task();
}

class EpollPoller final : public Poller {
 public:
  explicit EpollPoller(std::string name)
      : loop_(std::make_shared<PollLoop>()), thread_([loop = loop_] { loop->Run(); }) {
    (void)pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }
  ~EpollPoller() override {
    loop_->End();
    // The last channel may go away inside one of our own callbacks.
    thread_.get_id() == std::this_thread::get_id() ? thread_.detach() : thread_.join();
  }

  void WatchOnce(int descriptor, std::function<void()> ready, Until until) override {
    loop_->Watch(descriptor, std::move(ready), until == Until::kReadable ? EPOLLIN : EPOLLOUT);
  }
  void Unwatch(int descriptor) override { loop_->Unwatch(descriptor); }
  void RunAt(BootTime when, std::function<void()> task) override {
    loop_->RunAt(when, std::move(task));
  }
  uint64_t wake_ups() const override { return loop_->wake_ups(); }

 private:
  std::shared_ptr<PollLoop> loop_;
  std::thread thread_;
};

}  // namespace

std::shared_ptr<Poller> Poller::Start(std::string thread_name) {
  return std::make_shared<EpollPoller>(std::move(thread_name));
}

}  // namespace cairn

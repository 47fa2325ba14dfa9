// Which sessions are shut out of this server, and what is still under way of each (rule L1).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

// One session's use of this server. Whoever enters and whoever shuts out each write their word
// before they read the other's: an operation is refused, or is seen to be under way. Thread-safe.
class SessionUse {
 public:
  // False: the session is shut out. Otherwise Leave() follows.
  bool Enter() {
    under_way_.fetch_add(1);
    if (!shut_out_.load()) return true;
    Leave();
    return false;
  }
  void Leave() { under_way_.fetch_sub(1); }
  void ShutOut() { shut_out_.store(true); }
  bool is_shut_out() const { return shut_out_.load(); }
  bool idle() const { return under_way_.load() == 0; }

 private:
  std::atomic<uint64_t> under_way_{0};
  std::atomic<bool> shut_out_{false};
};
using SessionUsePtr = std::shared_ptr<SessionUse>;

// Held as long as an operation that was let in is under way. Thread-compatible.
class SessionTicket {
 public:
  SessionTicket() = default;  // of nobody
  // REQUIRES: `use` was entered for it.
  explicit SessionTicket(SessionUsePtr use) : use_(std::move(use)) {}
  SessionTicket(SessionTicket&& other) noexcept : use_(std::move(other.use_)) {}
  SessionTicket& operator=(SessionTicket&& other) noexcept {
    std::swap(use_, other.use_);
    return *this;
  }
  ~SessionTicket() {
    if (use_ != nullptr) use_->Leave();
  }

 private:
  SessionUsePtr use_;
};

// Thread-safe.
class FenceList {
 public:
  // The same object as long as somebody holds it, something is under way, or the session is shut
  // out.
  SessionUsePtr UseOf(SessionId session);
  // kFenced: the session is shut out. Costs nothing while nobody is.
  Status Check(SessionId session) const;

  // Takes the fences of a heartbeat's answer. False: the answer was cut short, and the lease that
  // came with it must not be used. Fences that no token can name any more are forgotten.
  bool Take(const v1::HeartbeatResponse& answer);
  // The list is whole up to here.
  uint64_t known() const;
  // Of the sessions that are shut out up to here no operation is under way, nor will be.
  uint64_t Finished();

 private:
  struct Shut {
    uint64_t sequence = 0;
    SessionId session;
    int64_t time_seconds = 0;  // of the metaserver that shut it out
  };
  SessionUsePtr UseLocked(SessionId session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ShutOut(const v1::Fence& fence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetOlderThan(int64_t seconds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetUnused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  absl::flat_hash_map<SessionId, SessionUsePtr> uses_ ABSL_GUARDED_BY(mu_);
  size_t look_at_size_ ABSL_GUARDED_BY(mu_) = 1024;  // of uses_: then look for unused ones
  std::deque<Shut> shut_ ABSL_GUARDED_BY(mu_);       // oldest first
  // Those of shut_ whose end has not been seen, oldest first.
  std::deque<std::pair<uint64_t, SessionUsePtr>> unfinished_ ABSL_GUARDED_BY(mu_);
  uint64_t known_ ABSL_GUARDED_BY(mu_) = 0;
  std::atomic<size_t> shut_count_{0};
};

}  // namespace cairn

// Numbers of requests and which of them are unanswered: what makes a change run once however often
// it is sent (rule M3).
#pragma once

#include <cstdint>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/common.pb.h"

namespace cairn::client {

// Thread-safe.
class RequestNumbers {
 public:
  // A mount that comes back with its old client id gets its old session, in which every earlier
  // number is used up: numbers start at the wall clock's nanoseconds.
  RequestNumbers();

  struct Number {
    uint64_t sequence;
    uint64_t lowest_unanswered;
  };
  Number Begin();
  void End(uint64_t sequence);

 private:
  absl::Mutex mu_;
  uint64_t next_ ABSL_GUARDED_BY(mu_);
  std::set<uint64_t> unanswered_ ABSL_GUARDED_BY(mu_);
};

// The number of the request that `id` lies in, in use as long as this lives.
class HeldNumber {
 public:
  HeldNumber(RequestNumbers& numbers, v1::RequestId& id) : numbers_(numbers), id_(id) { Begin(); }
  // Also when nobody answered: below the lowest unanswered number it can never run any more.
  ~HeldNumber() { numbers_.End(id_.sequence()); }
  HeldNumber(const HeldNumber&) = delete;
  HeldNumber& operator=(const HeldNumber&) = delete;

  // The request is another one from now on.
  void Renew();

 private:
  void Begin();

  RequestNumbers& numbers_;
  v1::RequestId& id_;
};

}  // namespace cairn::client

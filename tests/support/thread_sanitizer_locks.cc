// Linked into everything that is built with ThreadSanitizer. abseil comes compiled without it, so
// its mutexes order nothing in the sanitizer's eyes; these wrappers (the linker's --wrap, see
// cmake/ThreadSanitizer.cmake) tell what each of them orders.
//
// A condition is evaluated by whoever holds the mutex, inside the library: by then its release was
// told already, so what it reads there is not looked at.
#include <type_traits>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::ReleasableMutexLock;

class ReadsUnseen {
 public:
  ReadsUnseen() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~ReadsUnseen() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

template <typename Wait>
auto WaitOn(Mutex* mutex, const Wait& wait) {
  __tsan_release(mutex);
  const ReadsUnseen unseen;
  if constexpr (std::is_void_v<decltype(wait())>) {
    wait();
    __tsan_acquire(mutex);
  } else {
    const auto result = wait();
    __tsan_acquire(mutex);
    return result;
  }
}

}  // namespace

// Mangled by hand: the wrapped names are what the linker knows them by.
#define CAIRN_WRAP(result, name, ...)           \
  extern "C" result __real_##name(__VA_ARGS__); \
  extern "C" result __wrap_##name(__VA_ARGS__)

CAIRN_WRAP(void, _ZN4absl7debian35Mutex4LockEv, Mutex* mutex) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}
CAIRN_WRAP(void, _ZN4absl7debian35Mutex6UnlockEv, Mutex* mutex) {
  __tsan_release(mutex);
  const ReadsUnseen unseen;
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}
CAIRN_WRAP(bool, _ZN4absl7debian35Mutex7TryLockEv, Mutex* mutex) {
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}
CAIRN_WRAP(void, _ZN4absl7debian35Mutex10ReaderLockEv, Mutex* mutex) {
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex);
  __tsan_acquire(mutex);
}
CAIRN_WRAP(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, Mutex* mutex) {
  __tsan_release(mutex);
  const ReadsUnseen unseen;
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex);
}
CAIRN_WRAP(bool, _ZN4absl7debian35Mutex13ReaderTryLockEv, Mutex* mutex) {
  const bool locked = __real__ZN4absl7debian35Mutex13ReaderTryLockEv(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}
CAIRN_WRAP(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, Mutex* mutex,
           const Condition& condition) {
  WaitOn(mutex, [&] { __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, condition); });
}
CAIRN_WRAP(bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
           Mutex* mutex, const Condition& condition, Duration patience) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
        mutex, condition, patience);
  });
}
CAIRN_WRAP(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, CondVar* variable, Mutex* mutex) {
  WaitOn(mutex, [&] { __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(variable, mutex); });
}
CAIRN_WRAP(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
           CondVar* variable, Mutex* mutex, Duration patience) {
  return WaitOn(mutex, [&] {
    return __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(
        variable, mutex, patience);
  });
}
CAIRN_WRAP(void, _ZN4absl7debian312Notification6NotifyEv, Notification* notification) {
  __tsan_release(notification);
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}
CAIRN_WRAP(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
           Notification* notification) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(notification);
  __tsan_acquire(notification);
}
CAIRN_WRAP(bool, _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
           Notification* notification, Duration patience) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
          notification, patience);
  if (notified) __tsan_acquire(notification);
  return notified;
}
// Its mutex is the first of its members.
CAIRN_WRAP(void, _ZN4absl7debian319ReleasableMutexLock7ReleaseEv, ReleasableMutexLock* lock) {
  __tsan_release(*reinterpret_cast<void**>(lock));
  const ReadsUnseen unseen;
  __real__ZN4absl7debian319ReleasableMutexLock7ReleaseEv(lock);
}

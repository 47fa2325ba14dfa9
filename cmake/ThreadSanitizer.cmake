# abseil is not built with ThreadSanitizer, which therefore does not see what its mutexes order: calls
# of them go through wrappers that tell it.
set(CAIRN_WRAPPED
    _ZN4absl7debian35Mutex4LockEv
    _ZN4absl7debian35Mutex6UnlockEv
    _ZN4absl7debian35Mutex7TryLockEv
    _ZN4absl7debian35Mutex10ReaderLockEv
    _ZN4absl7debian35Mutex12ReaderUnlockEv
    _ZN4absl7debian35Mutex13ReaderTryLockEv
    _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE
    _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE
    _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE
    _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE
    _ZN4absl7debian312Notification6NotifyEv
    _ZNK4absl7debian312Notification19WaitForNotificationEv
    _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE
    _ZN4absl7debian319ReleasableMutexLock7ReleaseEv)

add_library(cairn_thread_sanitizer_locks OBJECT ${CMAKE_SOURCE_DIR}/tests/support/thread_sanitizer_locks.cc)
target_link_libraries(cairn_thread_sanitizer_locks PRIVATE absl::synchronization)
foreach(name ${CAIRN_WRAPPED})
  target_link_options(cairn_thread_sanitizer_locks INTERFACE -Wl,--wrap=${name})
endforeach()

// Debian builds abseil with its search for lock-order cycles on, in every program that uses it: a
// tenth and more of the CPU of a busy server goes into a graph of all locks held.
#pragma once

namespace cairn {

// Ends that search in this process, unless it is a build that looks for bugs (debug, sanitizers).
// To be called before the first thread starts.
void SkipLockOrderChecks();

}  // namespace cairn

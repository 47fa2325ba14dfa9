// Linked in place of common/thread.cc: a thread's body runs on the caller's thread, when it starts
// or when it is waited for, in turns. So a run is the same each time, and both orders of what a
// store does side by side are tried.
#pragma once

#include <cstdint>

namespace cairn::crash {

// For the calling thread; even: the next one runs when it starts.
void BeginThreadTurns(uint64_t first);

}  // namespace cairn::crash

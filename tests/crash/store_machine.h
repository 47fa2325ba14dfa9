// A machine with one chunk store: what a server remembers of how it was stopped, and the store's
// start, end and violent ends.
#pragma once

#include <memory>
#include <random>
#include <string>

#include "chunkserver/store/chunk_store.h"
#include "common/clock.h"
#include "tests/crash/crash_disk.h"
#include "tests/crash/index_history.h"

namespace cairn::crash {

// Confined to one thread.
class StoreMachine {
 public:
  StoreMachine(CrashBug bug, size_t ballast_bytes)
      : disk_(bug), history_(disk_, bug, ballast_bytes) {}
  ~StoreMachine() { Kill(); }

  // As a server does it: from here on the directory is not clean, until Close has succeeded.
  Status Start();
  // As kill -9 does: the page cache stays.
  void Kill();
  // The store is closed in order.
  Status Close();
  void LosePower(std::mt19937_64& random);

  CrashDisk& disk() { return disk_; }
  const CrashDisk& disk() const { return disk_; }
  ManualClock& clock() { return clock_; }
  IndexHistory& history() { return history_; }
  ChunkStore& store() { return *store_; }
  bool runs() const { return store_ != nullptr; }
  std::string PathOf(ChunkId id) const;

 private:
  CrashDisk disk_;
  ManualClock clock_;
  IndexHistory history_;
  bool clean_ = true;    // closed in order, or new
  bool booted_ = false;  // the machine has, since a store was last opened
  std::unique_ptr<QueuedEnv> env_;
  std::unique_ptr<ChunkStore> store_;
};

}  // namespace cairn::crash

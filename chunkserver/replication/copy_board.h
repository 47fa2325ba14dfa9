// How far the catch-ups that this server runs are, for the heartbeat.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"

namespace cairn {

struct CopyCount {
  uint64_t total_bytes = 0;   // of chunks that differed when the lists were compared first
  uint64_t done_bytes = 0;    // of those, in chunks that are equal now
  uint64_t copied_bytes = 0;  // what travelled
};

// Thread-safe.
class CopyBoard {
 public:
  using Key = std::pair<PgId, ServerId>;

  // One catch-up; it is on the board as long as this lives.
  class Entry {
   public:
    Entry(CopyBoard& board, Key key) : board_(board), key_(key) {}
    ~Entry() { board_.Erase(key_); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void Add(const CopyCount& more) { board_.Add(key_, more); }

   private:
    CopyBoard& board_;
    const Key key_;
  };

  std::vector<std::pair<Key, CopyCount>> List() const {
    absl::MutexLock lock(&mu_);
    return {counts_.begin(), counts_.end()};
  }

 private:
  void Add(const Key& key, const CopyCount& more) {
    absl::MutexLock lock(&mu_);
    CopyCount& count = counts_[key];
    count.total_bytes += more.total_bytes;
    count.done_bytes += more.done_bytes;
    count.copied_bytes += more.copied_bytes;
  }
  void Erase(const Key& key) {
    absl::MutexLock lock(&mu_);
    counts_.erase(key);
  }

  mutable absl::Mutex mu_;
  std::map<Key, CopyCount> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn

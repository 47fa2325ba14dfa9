// What a mount knows of one file that it has open, or holds unwritten bytes of. Shared by all its
// handles.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/chunk.pb.h"
#include "cairn/v1/metadata.pb.h"
#include "client/extension.h"
#include "client/file_tokens.h"
#include "client/read_cache.h"
#include "client/run_set.h"
#include "client/unsynced_chunks.h"
#include "client/write_buffer.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn::client {

// Written and acknowledged by chunkservers, but not yet told to the metaserver.
struct Uncommitted {
  uint64_t end = 0;
  RunSet runs;
  uint64_t first_write = kNoWrite;  // kNoWrite: nothing
  uint64_t last_write = 0;
  std::optional<WallTime> modify_time;  // these two only in a CommitWrite that is on its way
  bool clear_set_id = false;

  bool any() const { return first_write != kNoWrite; }
  // Takes in the bytes of `other`.
  void Add(const Uncommitted& other);
  // The file was cut to `length` after these bytes were written.
  void CutAt(uint64_t length, uint32_t chunk_size);
};

// All fields are guarded by `mu`, which is acquired after InodeTable::mu_. Only leaves (the
// executor's, the budget's) are acquired while it is held, and no call is made.
struct InodeState {
  InodeState(InodeId inode, SessionId opened_under) : id(inode), session(opened_under) {}

  const InodeId id;
  const SessionId session;  // when it is no longer the mount's, everything here answers kIoError

  mutable absl::Mutex mu;
  uint64_t handles ABSL_GUARDED_BY(mu) = 0;
  bool retired ABSL_GUARDED_BY(mu) = false;  // out of the table: look it up again

  // As the metaserver last said.
  v1::Attributes attributes ABSL_GUARDED_BY(mu);
  v1::FileMap file ABSL_GUARDED_BY(mu);
  RunSet runs ABSL_GUARDED_BY(mu);             // of `file`
  uint64_t cached_version ABSL_GUARDED_BY(mu) = 0;  // what kernel pages of this file are right for

  // Write-behind.
  WriteBuffer buffer ABSL_GUARDED_BY(mu);
  Extension extension ABSL_GUARDED_BY(mu);  // frames that wait in it count as under way
  uint64_t last_write ABSL_GUARDED_BY(mu) = 0;      // number of the newest write
  uint64_t flush_up_to ABSL_GUARDED_BY(mu) = 0;     // writes of at most this number are to go out
  uint64_t round_end ABSL_GUARDED_BY(mu) = 0;       // once these are settled a commit is due
  WallTime modify_time ABSL_GUARDED_BY(mu);         // of the newest write
  bool modify_pending ABSL_GUARDED_BY(mu) = false;  // and no explicit time came after it
  bool clear_set_id ABSL_GUARDED_BY(mu) = false;    // with the next commit
  Uncommitted uncommitted ABSL_GUARDED_BY(mu);
  // What an earlier commit left out, or brought in vain: the end of the round may show all of it.
  Uncommitted postponed ABSL_GUARDED_BY(mu);
  Uncommitted committing ABSL_GUARDED_BY(mu);       // in the CommitWrite that is on its way
  bool commit_under_way ABSL_GUARDED_BY(mu) = false;
  Status commit_error ABSL_GUARDED_BY(mu);          // of the last commit, which is tried again
  uint64_t failed_commits ABSL_GUARDED_BY(mu) = 0;
  int commit_holds ABSL_GUARDED_BY(mu) = 0;  // a change of attributes that commits must not pass
  bool size_changing ABSL_GUARDED_BY(mu) = false;   // a truncate: new writes wait
  bool timer_armed ABSL_GUARDED_BY(mu) = false;
  BootTime progress ABSL_GUARDED_BY(mu);  // when a server last acknowledged something of it
  UnsyncedChunks unsynced ABSL_GUARDED_BY(mu);  // acknowledged, and in no Sync that succeeded
  bool sync_under_way ABSL_GUARDED_BY(mu) = false;  // with chunks that are not in `unsynced`

  // Told once to each handle that was open when it happened, or that is opened before anybody was
  // told.
  Status error ABSL_GUARDED_BY(mu);
  uint64_t errors ABSL_GUARDED_BY(mu) = 0;
  bool error_untold ABSL_GUARDED_BY(mu) = false;

  ReadCache cache ABSL_GUARDED_BY(mu);
  FileTokens tokens ABSL_GUARDED_BY(mu);

  // Takes in an answer unless a newer one is known.
  void Learn(const v1::EntryResponse& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // As Learn, for the answer to a change of our own: kernel pages stay right if nobody else's
  // change came between.
  void LearnOwnChange(const v1::EntryResponse& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  void Failed(const Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  uint64_t Size() const ABSL_SHARED_LOCKS_REQUIRED(mu);
  bool Clean() const ABSL_SHARED_LOCKS_REQUIRED(mu);  // nothing to flush, nothing to commit
  bool Settled(uint64_t write) const ABSL_SHARED_LOCKS_REQUIRED(mu);    // acknowledged or failed
  bool Committed(uint64_t write) const ABSL_SHARED_LOCKS_REQUIRED(mu);  // and told, or lost
  // A round goes out and is told as it was when it began: one that has not ended is not made
  // longer, or a steady writer would never be committed.
  void BeginRound() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  bool CommitIsDue() const ABSL_SHARED_LOCKS_REQUIRED(mu);
  // Whether chunk `index` surely exists (kHolds), may (kMay: bytes are on their way), or is a hole.
  enum class Presence { kHole, kMay, kHolds };
  Presence PresenceOf(uint32_t index) const ABSL_SHARED_LOCKS_REQUIRED(mu);
  // Bytes of chunk `index` up to `end` lie past the size, and that was not announced (rule L5).
  bool MustAnnounce(uint32_t index, uint64_t end) const ABSL_SHARED_LOCKS_REQUIRED(mu);
  // With what this mount has not told yet laid over it.
  v1::Attributes Overlaid() const ABSL_SHARED_LOCKS_REQUIRED(mu);
  uint64_t HeldBytes() const ABSL_SHARED_LOCKS_REQUIRED(mu);  // for st_blocks
  // Group and epoch are left open.
  v1::ChunkAddress AddressOf(uint32_t index, TokenUse use) const ABSL_SHARED_LOCKS_REQUIRED(mu);
};

using InodeStatePtr = std::shared_ptr<InodeState>;

// Bytes of `runs` inside a file of `size` bytes.
uint64_t BytesIn(const RunSet& runs, uint32_t chunk_size, uint64_t size);

}  // namespace cairn::client
